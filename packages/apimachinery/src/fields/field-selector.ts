import { newBadRequest } from '../errors/status-error.ts';
import type { Selector } from '../labels/selector.ts';

/** One term of a field selector. `==` reads as `=`. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  /** Without its escapes. */
  readonly value: string;
}

/** A parsed field selector. An absent field has the empty value. */
export interface ParsedFieldSelector extends Selector {
  /** Sorted by their text. Empty for everything and for nothing. */
  readonly requirements: readonly FieldRequirement[];
}

class Terms implements ParsedFieldSelector {
  readonly requirements: readonly FieldRequirement[];
  readonly everything: boolean;
  readonly nothing = false;

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements;
    this.everything = requirements.length === 0;
  }

  matches(fields: { readonly [field: string]: string } | undefined): boolean {
    return this.requirements.every(({ field, operator, value }) => {
      const actual: unknown = fields?.[field];
      return ((typeof actual === 'string' ? actual : '') === value) === (operator === '=');
    });
  }

  exactMatch(field: string): string | undefined {
    return this.requirements.find((term) => term.field === field && term.operator === '=')?.value;
  }

  toString(): string {
    return this.requirements.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(',');
  }
}

/** Takes every object. */
export const everyField: ParsedFieldSelector = new Terms([]);

/** Takes nothing. */
export const noField: ParsedFieldSelector = {
  everything: false,
  nothing: true,
  requirements: [],
  matches: () => false,
  exactMatch: () => undefined,
  toString: () => '',
};

/** Writes a value so that it stands in a field selector: `\`, `,` and `=` get a backslash. */
export const escapeFieldValue = (value: string): string => value.replace(/[\\,=]/g, '\\$&');

/**
 * The selector that `text` writes, as `spec.nodeName=a,status.phase!=Failed`; empty text takes everything. Which fields a
 * resource knows is not checked here.
 * @throws StatusError BadRequest with upstream's text. Source: fields.ParseSelector.
 */
export function parseFieldSelector(text: string): ParsedFieldSelector {
  const terms = splitTerms(text)
    .sort()
    .filter((term) => term !== '')
    .map((term) => parseTerm(text, term));
  return fieldSelectorFrom(terms);
}

/** The selector that wants every term of a list. */
export const fieldSelectorFrom = (requirements: readonly FieldRequirement[]): ParsedFieldSelector =>
  requirements.length === 0 ? everyField : new Terms(requirements);

/** Splits at commas that no backslash escapes. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\\') i++;
    else if (char === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function parseTerm(text: string, term: string): FieldRequirement {
  const operator = /!=|==?/.exec(term);
  if (operator === null) throw newBadRequest(`invalid selector: '${text}'; can't understand '${term}'`);
  const value = unescapeFieldValue(term.slice(operator.index + operator[0].length));
  return { field: term.slice(0, operator.index), operator: operator[0] === '!=' ? '!=' : '=', value };
}

function unescapeFieldValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let value = '';
  let escaped = false;
  for (const char of text) {
    if (escaped) {
      if (!/[\\,=]/.test(char)) throw newBadRequest(`invalid field selector: invalid escape sequence: \\${char}`);
      value += char;
      escaped = false;
    } else if (char === '\\') {
      escaped = true;
    } else if (char === ',' || char === '=') {
      throw newBadRequest(`invalid field selector: unescaped character in value: ${char.codePointAt(0)}`);
    } else {
      value += char;
    }
  }
  if (escaped) throw newBadRequest('invalid field selector: invalid escape sequence: \\');
  return value;
}

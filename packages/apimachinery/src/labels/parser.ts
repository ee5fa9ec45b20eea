import { newBadRequest, type StatusError } from '../errors/status-error.ts';
import type { Token } from './lexer.ts';
import { tokenize } from './lexer.ts';
import { binaryOperatorList, labelKeyProblem, newRequirement } from './requirement.ts';
import type { LabelOperator, LabelRequirement } from './selector.ts';

const requirementPrefix = 'unable to parse requirement: ';

/** Recursive descent over the tokens; every message and the order of checks are upstream's. */
class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') return requirements;
      if (!startsRequirement(token)) throw failure(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#requirementOrFail());
      const next = this.#take();
      if (next.kind === 'end') return requirements;
      if (next.kind !== ',') throw failure(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (!startsRequirement(after)) throw failure(`found '${after.text}', expected: identifier after ','`);
    }
  }

  #requirementOrFail(): LabelRequirement {
    try {
      return this.#requirement();
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
      throw newBadRequest(requirementPrefix + cause.message);
    }
  }

  #requirement(): LabelRequirement {
    let token = this.#take();
    const negated = token.kind === '!';
    if (negated) token = this.#take();
    if (!isValue(token)) throw failure(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const problem = labelKeyProblem(key);
    if (problem !== undefined) throw failure(`<nil>: ${problem}`);
    if (negated) return newRequirement(key, '!', []);
    const next = this.#peek();
    if (next.kind === 'end' || next.kind === ',') return newRequirement(key, 'exists', []);
    const operator = this.#operator();
    const values = operator === 'in' || operator === 'notin' ? this.#valueList() : [this.#exactValue()];
    return newRequirement(key, operator, values);
  }

  #operator(): LabelOperator {
    const token = this.#take();
    switch (token.kind) {
      case 'in':
      case 'notin':
      case '=':
      case '==':
      case '!=':
        return token.kind;
      case '>':
        return 'gt';
      case '<':
        return 'lt';
      default:
        throw failure(`found '${token.text}', expected: ${binaryOperatorList}`);
    }
  }

  /** `(a,b)`; commas without a value between them stand for the empty value. */
  #valueList(): string[] {
    const open = this.#take();
    if (open.kind !== '(') throw failure(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ')') {
      this.#take();
      return [''];
    }
    if (!isValue(first) && first.kind !== ',') throw failure(`found '${first.text}', expected: ',', ')' or identifier`);
    const values = this.#identifiers();
    if (this.#take().kind !== ')') throw failure(`found '${first.text}', expected: ')'`);
    return [...values].sort();
  }

  #identifiers(): Set<string> {
    const values = new Set<string>();
    for (;;) {
      const token = this.#take();
      const next = this.#peek();
      if (isValue(token)) {
        values.add(token.text);
        if (next.kind === ')') return values;
        if (next.kind !== ',') throw failure(`found '${next.text}', expected: ',' or ')'`);
      } else if (token.kind === ',') {
        if (values.size === 0 || next.kind === ')' || next.kind === ',') values.add('');
        if (next.kind === ')') return values;
      } else {
        throw failure(`found '${token.text}', expected: ',', or identifier`);
      }
    }
  }

  #exactValue(): string {
    const next = this.#peek();
    if (next.kind === 'end' || next.kind === ',') return '';
    const token = this.#take();
    if (!isValue(token)) throw failure(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', text: '' };
  }

  #take(): Token {
    const token = this.#peek();
    this.#position++;
    return token;
  }
}

/** `in` and `notin` are words where no operator can stand. */
const isValue = ({ kind }: Token): boolean => kind === 'identifier' || kind === 'in' || kind === 'notin';
const startsRequirement = (token: Token): boolean => isValue(token) || token.kind === '!';
const failure = (message: string): StatusError => newBadRequest(message);

/**
 * The terms of a label selector's text, in its order.
 * @throws StatusError BadRequest. Source: labels.Parse.
 */
export function parseRequirements(text: string): LabelRequirement[] {
  return new Parser(text).parse();
}

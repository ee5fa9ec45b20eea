import { newBadRequest } from '../errors/status-error.ts';
import type { LabelSelector } from '../generated/meta-v1.ts';
import { parseRequirements } from './parser.ts';
import { newRequirement, printRequirement, requirementHolds } from './requirement.ts';
import type { LabelOperator, LabelRequirement, ParsedLabelSelector } from './selector.ts';

class Requirements implements ParsedLabelSelector {
  readonly requirements: readonly LabelRequirement[];
  readonly everything: boolean;
  readonly nothing = false;

  constructor(requirements: readonly LabelRequirement[]) {
    this.requirements = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    this.everything = requirements.length === 0;
  }

  matches(labels: { readonly [key: string]: string } | undefined): boolean {
    for (const requirement of this.requirements) {
      const actual: unknown = labels?.[requirement.key];
      if (!requirementHolds(requirement, typeof actual === 'string' ? actual : undefined)) return false; // Not `in`: keys like `constructor` are inherited.
    }
    return true;
  }

  exactMatch(key: string): string | undefined {
    const requirement = this.requirements.find((candidate) => candidate.key === key);
    if (requirement === undefined || requirement.values.length !== 1) return undefined;
    return ['=', '==', 'in'].includes(requirement.operator) ? requirement.values[0] : undefined;
  }

  toString(): string {
    return this.requirements.map(printRequirement).join(',');
  }
}

/** Takes every set of labels. */
export const everyLabel: ParsedLabelSelector = new Requirements([]);

/** Takes nothing. */
export const noLabel: ParsedLabelSelector = {
  everything: false,
  nothing: true,
  requirements: [],
  matches: () => false,
  exactMatch: () => undefined,
  toString: () => '',
};

/**
 * The selector that `text` writes, as `app=web,tier in (a,b),!old`; empty text takes everything.
 * @throws StatusError BadRequest with upstream's text. Source: labels.Parse.
 */
export function parseLabelSelector(text: string): ParsedLabelSelector {
  return text === '' ? everyLabel : selectorFromRequirements(parseRequirements(text));
}

/** The selector that wants every requirement of a list. Requirements are taken as checked. */
export function selectorFromRequirements(requirements: readonly LabelRequirement[]): ParsedLabelSelector {
  return requirements.length === 0 ? everyLabel : new Requirements(requirements);
}

/** The selector that wants exactly these labels among others; absent or empty takes everything. Values are not checked. */
export function selectorFromSet(labels: { readonly [key: string]: string } | undefined): ParsedLabelSelector {
  const requirements = Object.entries(labels ?? {}).map(([key, value]): LabelRequirement => ({ key, operator: '=', values: [value] }));
  return selectorFromRequirements(requirements);
}

const expressionOperators: ReadonlyMap<string, LabelOperator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

/**
 * The selector of an API object's LabelSelector: absent takes nothing, empty takes everything.
 * @throws StatusError BadRequest for an unknown operator or a bad key or value. Source: metav1.LabelSelectorAsSelector.
 */
export function selectorFromLabelSelector(selector: LabelSelector | undefined): ParsedLabelSelector {
  if (selector === undefined || selector === null) return noLabel;
  const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => newRequirement(key, '=', [value]));
  for (const expression of selector.matchExpressions ?? []) {
    const operator = expressionOperators.get(expression.operator);
    if (operator === undefined) throw newBadRequest(`"${expression.operator}" is not a valid label selector operator`);
    requirements.push(newRequirement(expression.key, operator, expression.values ?? []));
  }
  return selectorFromRequirements(requirements);
}

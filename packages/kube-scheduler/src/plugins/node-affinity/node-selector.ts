import type { NodeSelectorRequirement, NodeSelectorTerm, Pod } from '@orrery/api/core/v1';
import { type LabelOperator, newRequirement, requirementHolds } from '@orrery/apimachinery';
import type { NodeInfo } from '../../cache/node-info.ts';

/** Whether a node is one that a term or a pod wants. */
export type NodeMatcher = (node: Pick<NodeInfo, 'name' | 'labels'>) => boolean;

const operators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
};
const never: NodeMatcher = () => false;

/** A term without requirements matches nothing. @throws StatusError for what validation lets nobody write. */
export function termMatcher({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): NodeMatcher {
  if (matchExpressions.length === 0 && matchFields.length === 0) return never;
  const labels = matchExpressions.map(({ key, operator, values = [] }) => newRequirement(key, operators[operator] ?? 'in', values));
  return (node) =>
    matchFields.every((field) => fieldHolds(field, node.name)) && labels.every((one) => requirementHolds(one, node.labels[one.key]));
}

function fieldHolds({ key, operator, values = [] }: NodeSelectorRequirement, name: string): boolean {
  const actual = key === 'metadata.name' ? name : '';
  return operator === 'NotIn' ? !values.includes(actual) : operator === 'In' && values.includes(actual);
}

/** `spec.nodeSelector` and required node affinity together; undefined when the pod has neither. */
export function requiredNodes({ spec }: Pod): NodeMatcher | undefined {
  const wanted = Object.entries(spec.nodeSelector ?? {});
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (wanted.length === 0 && terms === undefined) return undefined;
  const matchers = terms?.map(termMatcher);
  return (node) =>
    wanted.every(([key, value]) => node.labels[key] === value) && (matchers === undefined || matchers.some((matches) => matches(node)));
}

/** Names of the only nodes that required terms allow, where every term names some. */
export function namedNodes({ spec }: Pod): ReadonlySet<string> | undefined {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (terms.length === 0) return undefined;
  const all = new Set<string>();
  for (const { matchFields = [] } of terms) {
    const lists = matchFields.filter(({ key, operator }) => key === 'metadata.name' && operator === 'In').map(({ values = [] }) => values);
    const [first, ...others] = lists;
    if (first === undefined) return undefined;
    for (const name of first) if (others.every((values) => values.includes(name))) all.add(name);
  }
  return all;
}

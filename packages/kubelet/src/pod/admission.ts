import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, Taint, Toleration } from '@orrery/api/core/v1';
import { compareQuantity, quantityMilliValue, quantityValue } from '@orrery/apimachinery';
import { addResources, podRequests, type ResourceList } from './resources.ts';

/** Why the node does not take a pod. */
export interface Rejection {
  /** Wire format: `status.reason`. */
  readonly reason: string;
  readonly message: string;
}

const OPERATORS: Readonly<Record<string, (value: string | undefined, wanted: readonly string[]) => boolean>> = {
  In: (value, wanted) => value !== undefined && wanted.includes(value),
  NotIn: (value, wanted) => value === undefined || !wanted.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
  Gt: (value, [bound]) => value !== undefined && Number(value) > Number(bound),
  Lt: (value, [bound]) => value !== undefined && Number(value) < Number(bound),
};

const holds = ({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean =>
  OPERATORS[operator]?.(value, values) ?? false;

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  const field = (key: string): string | undefined => (key === 'metadata.name' ? node.metadata.name : undefined);
  return (
    matchExpressions.every((requirement) => holds(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => holds(requirement, field(requirement.key)))
  );
}

const matchesSelector = (selector: NodeSelector, node: Node): boolean => selector.nodeSelectorTerms.some((term) => matchesTerm(term, node));

function matchesNode({ spec }: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesSelector(required, node);
}

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false;
  const key = toleration.key ?? '';
  if (key !== '' && key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return key !== '' && (toleration.value ?? '') === (taint.value ?? '');
}

/** As the number that upstream's message has: thousandths of a cpu, whole units of all else. */
const shown = (resource: string, amount: string): number => (resource === 'cpu' ? quantityMilliValue(amount) : quantityValue(amount));

/** What the node has too little of beside the pods that are active on it. */
export function lacking(pod: Pod, active: readonly Pod[], allocatable: ResourceList): Rejection | undefined {
  const podsMax = quantityValue(allocatable['pods'] ?? '110');
  const message = (resource: string, requested: number, used: number, capacity: number): Rejection => ({
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  });
  if (active.length + 1 > podsMax) return message('pods', 1, active.length, podsMax);
  const used = active.map(podRequests).reduce(addResources, {});
  for (const [resource, wanted] of Object.entries(podRequests(pod))) {
    if (compareQuantity(wanted, '0') === 0) continue;
    const capacity = allocatable[resource] ?? '0';
    const already = used[resource] ?? '0';
    if (compareQuantity(addResources({ sum: already }, { sum: wanted })['sum'] ?? '0', capacity) > 0) {
      return message(resource, shown(resource, wanted), shown(resource, already), shown(resource, capacity));
    }
  }
  return undefined;
}

/** Host ports that are taken, as `TCP/8080`; an address of its own makes a pair that meets only the same or no address. */
function hostPorts({ spec }: Pod): readonly (readonly [string, string])[] {
  return [...spec.containers, ...(spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP, protocol = 'TCP' }) =>
      hostPort === undefined || hostPort === 0 ? [] : [[`${protocol}/${hostPort}`, hostIP || '0.0.0.0'] as const],
    ),
  );
}

function portsClash(pod: Pod, active: readonly Pod[]): boolean {
  const taken = active.flatMap(hostPorts);
  const meets = (a: string, b: string): boolean => a === b || a === '0.0.0.0' || b === '0.0.0.0';
  return hostPorts(pod).some(([port, ip]) => taken.some(([otherPort, otherIp]) => port === otherPort && meets(ip, otherIp)));
}

/**
 * Whether the node takes the pod beside the pods that are active on it; `undefined` when it does. Source: lifecycle predicateAdmitHandler.
 */
export function admit(pod: Pod, node: Node, active: readonly Pod[]): Rejection | undefined {
  const outOf = lacking(pod, active, node.status?.allocatable ?? {});
  if (outOf !== undefined) return outOf;
  if (!matchesNode(pod, node)) {
    return { reason: 'NodeAffinity', message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector" };
  }
  if (portsClash(pod, active)) {
    return { reason: 'NodePorts', message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports" };
  }
  const taint = (node.spec?.taints ?? []).find(
    (candidate) => candidate.effect === 'NoExecute' && !(pod.spec.tolerations ?? []).some((toleration) => tolerates(toleration, candidate)),
  );
  if (taint === undefined) return undefined;
  return { reason: 'TaintToleration', message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate" };
}

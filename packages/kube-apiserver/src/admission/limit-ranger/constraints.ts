import { podLimits, podRequests, type ResourceList } from '@orrery/api';
import type { LimitRangeItem, PersistentVolumeClaim, Pod } from '@orrery/api/core/v1';
import { canonicalQuantity, compareQuantity, parseQuantity } from '@orrery/apimachinery';

interface Amounts {
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}
/** Why `enforced` of the resource `name` is not kept, or undefined. */
type Constraint = (type: string, name: string, enforced: string, amounts: Amounts) => string | undefined;

const over = (amount: string | undefined, bound: string): boolean => amount !== undefined && compareQuantity(amount, bound) > 0;
const under = (amount: string | undefined, bound: string): boolean => amount !== undefined && compareQuantity(amount, bound) < 0;
const shown = (amount: string | undefined): string => canonicalQuantity(amount ?? '0');

const minimum: Constraint = (type, name, enforced, { requests, limits }) => {
  const rule = `minimum ${name} usage per ${type} is ${shown(enforced)}`;
  if (requests[name] === undefined) return `${rule}.  No request is specified`;
  if (under(requests[name], enforced)) return `${rule}, but request is ${shown(requests[name])}`;
  return under(limits[name], enforced) ? `${rule}, but limit is ${shown(limits[name])}` : undefined;
};

const maximum: Constraint = (type, name, enforced, { requests, limits }) => {
  const rule = `maximum ${name} usage per ${type} is ${shown(enforced)}`;
  if (limits[name] === undefined) return `${rule}.  No limit is specified`;
  if (over(limits[name], enforced)) return `${rule}, but limit is ${shown(limits[name])}`;
  return over(requests[name], enforced) ? `${rule}, but request is ${shown(requests[name])}` : undefined;
};

const maximumRequest: Constraint = (type, name, enforced, { requests }) => {
  const rule = `maximum ${name} usage per ${type} is ${shown(enforced)}`;
  if (requests[name] === undefined) return `${rule}.  No request is specified`;
  return over(requests[name], enforced) ? `${rule}, but request is ${shown(requests[name])}` : undefined;
};

const ratio: Constraint = (type, name, enforced, { requests, limits }) => {
  const rule = `${name} max limit to request ratio per ${type} is ${shown(enforced)}`;
  const [request, limit] = [parseQuantity(requests[name] ?? '0').nano, parseQuantity(limits[name] ?? '0').nano];
  if (request === 0n) return `${rule}, but no request is specified or request is 0`;
  if (limit === 0n) return `${rule}, but no limit is specified or limit is 0`;
  const observed = Number(limit) / Number(request);
  return observed * 1000 > parseQuantity(enforced).milliValue ? `${rule}, but provided ratio is ${observed.toFixed(6)}` : undefined;
};

const broken = (type: string, constraint: Constraint, bounds: ResourceList | undefined, amounts: Amounts): string[] =>
  Object.entries(bounds ?? {}).flatMap(([name, enforced]) => constraint(type, name, enforced, amounts) ?? []);

const all = ({ type, min, max, maxLimitRequestRatio }: LimitRangeItem, amounts: Amounts): string[] => [
  ...broken(type, minimum, min, amounts),
  ...broken(type, maximum, max, amounts),
  ...broken(type, ratio, maxLimitRequestRatio, amounts),
];

/** What a pod breaks of an item, for each container or as a whole. Source: limitranger PodValidateLimitFunc. */
export function podFaults(item: LimitRangeItem, pod: Pod): string[] {
  const { spec } = pod;
  if (item.type === 'Container') {
    return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      all(item, { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} }),
    );
  }
  if (item.type !== 'Pod') return [];
  const { overhead: _, ...plain } = spec; // Counts nowhere in limits.
  const bare: Pod = { ...pod, spec: plain };
  return all(item, { requests: podRequests(bare), limits: podLimits(bare) });
}

/** What a claim breaks of an item. Source: limitranger PersistentVolumeClaimValidateLimitFunc. */
export function claimFaults({ type, min, max }: LimitRangeItem, { spec }: PersistentVolumeClaim): string[] {
  if (type !== 'PersistentVolumeClaim') return [];
  const amounts = { requests: spec?.resources?.requests ?? {}, limits: {} };
  return [...broken(type, minimum, min, amounts), ...broken(type, maximumRequest, max, amounts)];
}

import type { PodSpec } from '@orrery/api/core/v1';
import { addQuantity, compareQuantity, type Draft, type FieldError, fieldPath, invalid } from '@orrery/apimachinery';
import { each } from '../../validate.ts';
import { isHugePages, mayOvercommit } from '../resources/names.ts';

type Amounts = Readonly<Record<string, string>>;
const supported = (name: string): boolean => name === 'cpu' || name === 'memory' || isHugePages(name);

const larger = (a: string | undefined, b: string): string => (a === undefined || compareQuantity(a, b) < 0 ? b : a);

function addAll(total: Record<string, string>, amounts: Amounts): Record<string, string> {
  const sum = { ...total };
  for (const [name, value] of Object.entries(amounts)) sum[name] = sum[name] === undefined ? value : addQuantity(sum[name], value);
  return sum;
}

/**
 * What the containers of a pod ask for together: the sum of those that run side by side (sidecars included), or what an
 * init container needs beside the sidecars before it, whichever is more. Source: resourcehelper.AggregateContainerRequests.
 */
export function aggregateRequests(spec: PodSpec): Amounts {
  let main: Record<string, string> = {};
  for (const { resources } of spec.containers ?? []) main = addAll(main, resources?.requests ?? {});
  let sidecars: Record<string, string> = {};
  const peak: Record<string, string> = {};
  for (const { resources, restartPolicy } of spec.initContainers ?? []) {
    const requests = resources?.requests ?? {};
    if (restartPolicy === 'Always') {
      main = addAll(main, requests);
      sidecars = addAll(sidecars, requests);
    }
    const needed = restartPolicy === 'Always' ? sidecars : addAll(sidecars, requests);
    for (const [name, value] of Object.entries(needed)) peak[name] = larger(peak[name], value);
  }
  for (const [name, value] of Object.entries(peak)) main[name] = larger(main[name], value);
  return main;
}

/** A pod with limits of its own and no requests asks for what its containers ask for, else for its limits (KEP-2837). */
export function defaultPodLevelRequests(spec: Draft<PodSpec>): void {
  const { resources } = spec;
  if (Object.keys(resources?.limits ?? {}).length === 0 || !resources) return;
  const requests: Record<string, string> = { ...resources.requests };
  for (const [name, value] of Object.entries(aggregateRequests(spec as PodSpec))) {
    if (supported(name) && mayOvercommit(name)) requests[name] ??= value;
  }
  for (const [name, value] of Object.entries(resources.limits ?? {})) if (supported(name)) requests[name] ??= value;
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

/** Containers ask for no more than the pod has. Source: validatePodResourceConsistency. */
export function validatePodLevelResources(spec: PodSpec, field: string): FieldError[] {
  const { requests = {}, limits = {} } = spec.resources ?? {};
  const errors: FieldError[] = [];
  for (const [name, sum] of Object.entries(aggregateRequests(spec))) {
    const given = requests[name] ?? '0';
    if (supported(name) && compareQuantity(sum, given) > 0) {
      const path = fieldPath(`${field}.requests`, { key: name });
      errors.push(invalid(path, given, `must be greater than or equal to aggregate container requests of ${sum}`));
    }
  }
  errors.push(
    ...each(`${field}.containers`, spec.containers, ({ resources }, path) =>
      Object.entries(resources?.limits ?? {}).flatMap(([name, value]) => {
        const limit = limits[name];
        if (limit === undefined || compareQuantity(value, limit) <= 0) return [];
        return [invalid(`${fieldPath(path, { key: name })}.limits`, value, `must be less than or equal to pod limits of ${limit}`)];
      }),
    ),
  );
  return errors;
}

import type { Pod, Service } from '@orrery/api/core/v1';
import type { NamespacedName } from '@orrery/apimachinery';
import { isPodReady, isPodTerminal, isPodTerminating, type Lister } from '@orrery/client';
import type { Predicate } from '@orrery/controller';

/** Whether pods with these labels belong to the service. A service without a selector has no pods. */
export function selects({ spec }: Service, labels: { readonly [key: string]: string } = {}): boolean {
  const selector = spec?.selector;
  if (selector === undefined) return false;
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** Whether these controllers write endpoints for the service: others bring their own. */
export const hasSelector = ({ spec }: Service): boolean => spec?.selector !== undefined && spec.type !== 'ExternalName';

export const isHeadless = ({ spec }: Service): boolean => (spec?.clusterIP ?? '') === '' || spec?.clusterIP === 'None';

/** The services of the pod's namespace that select it. */
export const servicesOf = (services: Lister<Service>, { metadata }: Pod): readonly NamespacedName[] =>
  services
    .byNamespace(metadata.namespace ?? '')
    .filter((service) => selects(service, metadata.labels))
    .map((service) => service.metadata);

/**
 * Whether the pod can be reached, or may be again: it has an address and has not run its course.
 * @param includeTerminating - Also while it is being deleted.
 * Source: ShouldPodBeInEndpoints.
 */
export const isEndpoint = (pod: Pod, includeTerminating: boolean): boolean =>
  !isPodTerminal(pod) && addressesOf(pod).length > 0 && (includeTerminating || !isPodTerminating(pod));

/** All addresses of the pod, the first one first. */
export function addressesOf({ status }: Pod): readonly string[] {
  const all = (status?.podIPs ?? []).map(({ ip }) => ip);
  return all.length > 0 || !status?.podIP ? all : [status.podIP];
}

/** The host name under which the service's DNS knows the pod; undefined: it has none. */
export const hostnameIn = ({ metadata }: Service, { spec }: Pod): string | undefined =>
  spec?.hostname && spec.subdomain === metadata.name ? spec.hostname : undefined;

/** Lets only those changes of pods pass that endpoints may show. */
export const endpointChanges: Predicate<Pod> = {
  onUpdate: (old, pod) =>
    isPodReady(old) !== isPodReady(pod) ||
    isPodTerminal(old) !== isPodTerminal(pod) ||
    isPodTerminating(old) !== isPodTerminating(pod) ||
    old.spec?.hostname !== pod.spec?.hostname ||
    old.spec?.subdomain !== pod.spec?.subdomain ||
    old.spec?.nodeName !== pod.spec?.nodeName ||
    !sameAddresses(addressesOf(old), addressesOf(pod)) ||
    !sameLabels(old.metadata.labels, pod.metadata.labels),
};

const sameAddresses = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((address, index) => address === b[index]);

type Labels = { readonly [key: string]: string };
const noLabels: Labels = {};

export function sameLabels(a: Labels = noLabels, b: Labels = noLabels): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

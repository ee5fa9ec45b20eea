import type { Pod } from '@orrery/api/core/v1';
import { newBadRequest } from '@orrery/apimachinery';
import { familyOf, specialAddressReason } from '../registry/addresses.ts';

/**
 * The container that a request means: the one it names, or the only one.
 * @throws StatusError BadRequest with upstream's texts. Source: validateContainer.
 */
export function containerOf({ metadata, spec }: Pod, asked: string): string {
  const names = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])].map(({ name }) => name);
  if (asked !== '') {
    if (names.includes(asked)) return asked;
    throw newBadRequest(`container ${asked} is not valid for pod ${metadata.name}`);
  }
  const [only, second] = spec.containers ?? [];
  if (only !== undefined && second === undefined) return only.name;
  const message = `a container name must be specified for pod ${metadata.name}`;
  throw newBadRequest(only === undefined ? message : `${message}, choose one of: [${names.join(' ')}]`);
}

/** @throws StatusError BadRequest */
export function nodeOf({ metadata, spec }: Pod): string {
  if (!spec.nodeName) throw newBadRequest(`pod ${metadata.name} does not have a host assigned`);
  return spec.nodeName;
}

/** `/containerLogs/ns/pod/container` and its like on the node agent. Names come checked, so they need no escaping. */
export const podPath = (action: string, { metadata }: Pod, container?: string): string =>
  `/${action}/${metadata.namespace}/${metadata.name}${container === undefined ? '' : `/${container}`}`;

/** The address of a pod that traffic may be sent to. @throws StatusError BadRequest. Source: pod.ResourceLocation. */
export function addressOf({ status }: Pod): string {
  const address = status?.podIPs?.[0]?.ip ?? status?.podIP ?? '';
  if (familyOf(address) === undefined || isRefused(address)) throw newBadRequest('address not allowed');
  return address;
}

/**
 * Addresses that a proxy must not reach through a forged status. Loopback is one of them upstream; where pods are processes on loopback
 * addresses of their own (127.0.0.0/8 but 127.0.0.1) those are theirs.
 */
function isRefused(address: string): boolean {
  const reason = specialAddressReason(address);
  if (reason === undefined) return false;
  return !(address.startsWith('127.') && address !== '127.0.0.1');
}

/** The first port that the pod declares. */
export function firstPortOf({ spec }: Pod): string {
  for (const { ports } of spec.containers ?? []) if (ports?.[0] !== undefined) return `${ports[0].containerPort}`;
  return '';
}

import { isIP } from 'node:net';
import type { Service } from '@orrery/api/core/v1';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import { recordType } from '../wire/constants.ts';
import { addressRecord, type ResourceRecord, serviceRecord } from '../wire/record.ts';
import { type EndpointRecord, endpointRecords } from './endpoint-names.ts';

/** What a name below a service asks for. Absent parts match everything. */
export interface ServiceQuestion {
  readonly endpoint?: string;
  readonly port?: string;
  readonly protocol?: string;
}

/** What a name leads to. */
export type Found =
  | { readonly kind: 'absent' }
  /** The name exists; `answers` are its records of the type that was asked for, possibly none. */
  | { readonly kind: 'present'; readonly answers: readonly ResourceRecord[]; readonly additionals?: readonly ResourceRecord[] }
  | { readonly kind: 'alias'; readonly target: string };

/** The records of one service, computed when they are first asked for. */
export interface ServiceView {
  find(question: ServiceQuestion, type: number): Found;
}

const absent: Found = { kind: 'absent' };
const noServiceView: ServiceView = { find: () => absent };

/**
 * Follows CoreDNS's kubernetes plugin: a service with a cluster address is found under its name and under `_port._protocol` of each port; a
 * headless one leads to its ready endpoints; endpoints of both have names of their own.
 *
 * @param zone - The zone's name, such as `cluster.local`.
 * @param ttl - Seconds.
 */
export function newServiceView(service: Service, slices: readonly EndpointSlice[], zone: string, ttl: number): ServiceView {
  const { type, clusterIP, clusterIPs = [], externalName = '' } = service.spec ?? {};
  if (type === 'ExternalName') return externalView(externalName);
  const own = `${service.metadata.name}.${service.metadata.namespace}.svc.${zone}`;
  const headless = clusterIP === 'None';
  let endpoints: readonly EndpointRecord[] | undefined;
  const addresses = clusterIPs.length > 0 ? clusterIPs : clusterIP === undefined || clusterIP === '' ? [] : [clusterIP];
  const clusterRecords: readonly EndpointRecord[] = headless
    ? []
    : (service.spec?.ports ?? []).flatMap(({ name = '', port, protocol = 'TCP' }) =>
        addresses.map((address) => ({ hostname: '', address, port, portName: name.toLowerCase(), protocol: protocol.toLowerCase() })),
      );
  const plain = new Map<number, Found>();

  const select = (question: ServiceQuestion): readonly EndpointRecord[] => {
    if (!headless && question.endpoint === undefined) return clusterRecords.filter((record) => matches(record, question));
    endpoints ??= slices.flatMap(endpointRecords);
    return endpoints.filter((record) => matches(record, question));
  };
  const compute = (question: ServiceQuestion, asked: number): Found => {
    const records = select(question);
    // `_tcp.name` is no endpoint, but something stands below it (an empty non-terminal).
    if (records.length === 0)
      return hasPortsBelow(question) && select({ protocol: question.endpoint?.slice(1) ?? '' }).length > 0
        ? { kind: 'present', answers: [] }
        : absent;
    return foundOf(records, asked, own, ttl);
  };
  return {
    find(question, asked) {
      if (question.endpoint !== undefined || question.port !== undefined) return compute(question, asked);
      const known = plain.get(asked);
      if (known !== undefined) return known;
      const found = compute(question, asked);
      // Only types that have records: whoever asks for 65,536 types must not fill the memory.
      if (asked === recordType.A || asked === recordType.AAAA || asked === recordType.SRV) plain.set(asked, found);
      return found;
    },
  };
}

function externalView(externalName: string): ServiceView {
  const target = externalName.replace(/\.$/, '');
  if (target === '' || isIP(target) !== 0) return noServiceView;
  const found: Found = { kind: 'alias', target: target.toLowerCase() };
  return { find: ({ endpoint, port }) => (endpoint === undefined && port === undefined ? found : absent) };
}

const hasPortsBelow = ({ endpoint }: ServiceQuestion): boolean => endpoint?.startsWith('_') === true;

function matches(record: EndpointRecord, { endpoint, port, protocol }: ServiceQuestion): boolean {
  return (
    (endpoint === undefined || record.hostname === endpoint) &&
    (port === undefined || (record.portName === port && record.port !== undefined)) &&
    (protocol === undefined || record.protocol === protocol)
  );
}

function foundOf(records: readonly EndpointRecord[], asked: number, own: string, ttl: number): Found {
  if (asked === recordType.SRV) return serviceRecords(records, own, ttl);
  if (asked !== recordType.A && asked !== recordType.AAAA) return { kind: 'present', answers: [] };
  const addresses = new Set(records.map(({ address }) => address));
  return { kind: 'present', answers: [...addresses].flatMap((address) => ofType(addressRecord(address, ttl), asked)) };
}

const ofType = (record: ResourceRecord | undefined, type: number): readonly ResourceRecord[] =>
  record !== undefined && record.type === type ? [record] : [];

/** One record for each target and port, the addresses of the targets beside them. */
function serviceRecords(records: readonly EndpointRecord[], own: string, ttl: number): Found {
  const targets = new Map<string, { readonly name: string; readonly port: number }>();
  const addresses = new Map<string, ResourceRecord>();
  for (const { hostname, port, address } of records) {
    if (port === undefined) continue;
    const name = hostname === '' ? own : `${hostname}.${own}`;
    targets.set(`${name}:${port}`, { name, port });
    const record = addressRecord(address, ttl, name);
    if (record !== undefined) addresses.set(`${name}|${address}`, record);
  }
  // The weights of one priority share 100, and each is at least 1.
  const weight = Math.max(1, Math.floor(100 / targets.size));
  const answers = [...targets.values()].flatMap(({ name, port }) => serviceRecord(name, port, weight, ttl) ?? []);
  return { kind: 'present', answers, additionals: [...addresses.values()] };
}

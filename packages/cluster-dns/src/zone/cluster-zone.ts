import { isIPv4, isIPv6 } from 'node:net';
import { recordType } from '../wire/constants.ts';
import { addressRecord, nameRecord, textRecord } from '../wire/record.ts';
import type { ServiceIndex } from './service-index.ts';
import type { Found, ServiceQuestion } from './service-view.ts';

/** The version of the DNS-based service discovery specification that this zone follows. */
export const DNS_SCHEMA_VERSION = '1.1.0';
const DNS_SCHEMA_TTL_SECONDS = 28_800;

export interface ClusterZoneOptions {
  /** In lower case, such as `cluster.local`. */
  readonly zone: string;
  /** Seconds. */
  readonly ttl: number;
  readonly services: Pick<ServiceIndex, 'view'>;
  readonly hasNamespace: (name: string) => boolean;
  /** Addresses of this DNS server for clients: what `ns.dns.<zone>` leads to. */
  readonly serverAddresses: readonly string[];
}

/** What stands in the cluster's zone, by CoreDNS's kubernetes plugin (pods insecure) and the specification. */
export interface ClusterZone {
  /** @param labels - Left of the zone, in lower case. */
  find(labels: readonly string[], type: number): Found;
}

const absent: Found = { kind: 'absent' };
const empty: Found = { kind: 'present', answers: [] };

export function newClusterZone(options: ClusterZoneOptions): ClusterZone {
  const { services, hasNamespace, ttl } = options;
  const version: Found = { kind: 'present', answers: [textRecord(DNS_SCHEMA_VERSION, DNS_SCHEMA_TTL_SECONDS)] };

  const findService = (namespace: string, service: string, below: readonly string[], type: number): Found => {
    if (!hasNamespace(namespace)) return absent;
    const view = services.view(namespace, service);
    const question = serviceQuestion(below);
    return view === undefined || question === undefined ? absent : view.find(question, type);
  };
  const findPod = (namespace: string, pod: string, type: number): Found => {
    const address = podAddress(pod);
    if (!hasNamespace(namespace) || address === undefined) return absent;
    const record = addressRecord(address, ttl);
    return record?.type === type ? { kind: 'present', answers: [record] } : empty;
  };

  return {
    find(labels, type) {
      const depth = labels.length;
      if (depth === 0) return type === recordType.NS ? nameServer(options) : empty;
      const kind = labels[depth - 1];
      if (kind !== 'svc' && kind !== 'pod') return ownName(labels, type, options, version);
      if (depth === 1) return empty;
      const namespace = labels[depth - 2] ?? '';
      if (depth === 2) return hasNamespace(namespace) ? empty : absent;
      const name = labels[depth - 3] ?? '';
      if (kind === 'svc') return findService(namespace, name, labels.slice(0, -3), type);
      return depth === 3 ? findPod(namespace, name, type) : absent;
    },
  };
}

function ownName(labels: readonly string[], type: number, options: ClusterZoneOptions, version: Found): Found {
  const name = labels.join('.');
  if (name === 'dns-version') return type === recordType.TXT ? version : empty;
  if (name === 'dns') return empty;
  if (name !== 'ns.dns') return absent;
  const records = options.serverAddresses.flatMap((address) => addressRecord(address, options.ttl) ?? []);
  return { kind: 'present', answers: records.filter((record) => record.type === type) };
}

function nameServer({ zone, ttl, serverAddresses }: ClusterZoneOptions): Found {
  const owner = `ns.dns.${zone}`;
  const record = nameRecord(recordType.NS, owner, ttl);
  return {
    kind: 'present',
    answers: record === undefined ? [] : [record],
    additionals: serverAddresses.flatMap((address) => addressRecord(address, ttl, owner) ?? []),
  };
}

/** One label below a service is an endpoint's name, two are `_port._protocol`; more are nothing. */
function serviceQuestion(below: readonly string[]): ServiceQuestion | undefined {
  const [first = '', second = ''] = below;
  if (below.length === 0) return {};
  if (below.length === 1) return { endpoint: first };
  return below.length === 2 ? { port: withoutUnderscore(first), protocol: withoutUnderscore(second) } : undefined;
}

const withoutUnderscore = (label: string): string => (label.startsWith('_') ? label.slice(1) : label);

/** `10-1-2-3` is 10.1.2.3, `fd00--1` is fd00::1; undefined for what is no address. */
function podAddress(label: string): string | undefined {
  const dots = label.replaceAll('-', '.');
  if (isIPv4(dots)) return dots;
  const colons = label.replaceAll('-', ':');
  return isIPv6(colons) ? colons : undefined;
}

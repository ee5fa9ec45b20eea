import { createHash } from 'node:crypto';
import type { ProxyEndpoint } from '../model/endpoint.ts';
import { type ProxyPort, portTitle } from '../model/service-port.ts';
import type { Dialect } from './dialect.ts';
import type { ProgramBuilder } from './program.ts';

/** nftables takes 127 characters for a chain. */
const NAME_MAX = 120;

interface Scope {
  readonly dialect: Dialect;
  /** Sources outside of it are masqueraded on their way to a ClusterIP; undefined: none is. */
  readonly clusterCidr: string | undefined;
  readonly port: ProxyPort;
  readonly program: ProgramBuilder;
  /** Part of the names of chains and sets: unique for the port, and says which one it is. */
  readonly id: string;
}

/** Writes one port of a Service into `program`. */
export function addPort(program: ProgramBuilder, port: ProxyPort, dialect: Dialect, clusterCidr: string | undefined): void {
  const scope: Scope = { dialect, clusterCidr, port, program, id: idOf(port) };
  const { clusterIp, internalLocal, endpoints, loadBalancerIps, sourceRanges } = port;
  program.element('cluster-ips', clusterIp);
  const cluster = endpoints.cluster.length > 0 ? chainTo(scope, 'svc', endpoints.cluster) : undefined;
  const local = endpoints.local.length > 0 ? chainTo(scope, 'loc', endpoints.local) : undefined;
  serveAt(scope, clusterIp, internalLocal ? local : cluster);
  addExternal(scope, cluster, local);
  if (sourceRanges.length > 0 && loadBalancerIps.length > 0) addFirewall(scope);
  for (const { ip, isLocal } of [...endpoints.cluster, ...endpoints.local]) if (isLocal) program.element('hairpin', `${ip} . ${ip}`);
}

const keyOf = ({ protocol, port }: ProxyPort): string => `${protocol.toLowerCase()} . ${port}`;

function idOf(port: ProxyPort): string {
  const title = `${portTitle(port).replace(':', '/')}/${port.protocol.toLowerCase()}`;
  return `${createHash('sha256').update(`${title}/${port.port}`).digest('hex').slice(0, 12)}-${title}`.slice(0, NAME_MAX - 20);
}

/** Where nobody is: refused when no node has an endpoint, dropped when others have. */
const refusal = ({ endpoints }: ProxyPort): string => (endpoints.anywhere ? 'drop' : 'goto reject-it');

function serveAt({ program, port }: Scope, address: string, verdict: string | undefined): void {
  const key = `${address} . ${keyOf(port)}`;
  if (verdict === undefined) program.element('no-endpoints', key, refusal(port));
  else program.element('services', key, verdict);
}

function addExternal(scope: Scope, cluster: string | undefined, local: string | undefined): void {
  const { program, port } = scope;
  const { nodePort, externalLocal, protocol } = port;
  const addresses = [...port.externalIps, ...port.loadBalancerIps];
  if (nodePort === 0 && addresses.length === 0) return;
  const verdict = cluster === undefined && local === undefined ? undefined : externalChain(scope, cluster, local);
  const unserved = (externalLocal ? local : cluster) === undefined;
  for (const address of addresses) {
    if (verdict !== undefined) serveAt(scope, address, verdict);
    if (unserved) serveAt(scope, address, undefined);
  }
  if (nodePort === 0) return;
  const key = `${protocol.toLowerCase()} . ${nodePort}`;
  if (verdict !== undefined) program.element('node-ports', key, verdict);
  if (unserved) program.element('no-endpoint-node-ports', key, refusal(port));
}

/** Traffic from outside. Under policy Local what comes from pods and from this node may still go anywhere. */
function externalChain({ program, port, id, dialect, clusterCidr }: Scope, cluster: string | undefined, local: string | undefined): string {
  const { ip } = dialect;
  if (!port.externalLocal) return program.chain(`ext-${id}`, ['jump mark-for-masquerade', ...(cluster === undefined ? [] : [cluster])]);
  const own = cluster === undefined ? [] : [`fib saddr type local jump mark-for-masquerade`, `fib saddr type local ${cluster}`];
  const pods = cluster === undefined || clusterCidr === undefined ? [] : [`${ip} saddr ${clusterCidr} ${cluster}`];
  return program.chain(`ext-${id}`, [...pods, ...own, ...(local === undefined ? [] : [local])]);
}

function addFirewall(scope: Scope): void {
  const { program, port, id, dialect } = scope;
  const { ip } = dialect;
  // The node that has a balancer's address may use it.
  const sources = [...new Set([...port.sourceRanges, ...port.loadBalancerIps])];
  const verdict = program.chain(`fw-${id}`, [...sources.map((source) => `${ip} saddr ${source} return`), 'drop']);
  for (const address of port.loadBalancerIps) program.element('firewalls', `${address} . ${keyOf(port)}`, verdict);
}

/** A chain that spreads over `endpoints`; answers how to go there. */
function chainTo(scope: Scope, prefix: string, endpoints: readonly ProxyEndpoint[]): string {
  const { program, port, dialect, clusterCidr, id } = scope;
  const { ip } = dialect;
  const masquerade =
    clusterCidr === undefined ? [] : [`${ip} daddr ${port.clusterIp} ${ip} saddr != ${clusterCidr} jump mark-for-masquerade`];
  const { affinitySeconds } = port;
  const spread = affinitySeconds === undefined ? spreadEvenly(scope, endpoints) : spreadSticky(scope, endpoints, affinitySeconds);
  return program.chain(`${prefix}-${id}`, [...masquerade, ...spread]);
}

function spreadEvenly({ port, dialect }: Scope, endpoints: readonly ProxyEndpoint[]): string[] {
  const [first] = endpoints;
  const protocol = `meta l4proto ${port.protocol.toLowerCase()}`;
  if (first !== undefined && endpoints.length === 1) return [`${protocol} dnat to ${dialect.target(first.ip, first.port)}`];
  const targets = endpoints.map((endpoint, index) => `${index} : ${endpoint.ip} . ${endpoint.port}`);
  return [`${protocol} dnat ${dialect.ip} to numgen random mod ${endpoints.length} map { ${targets.join(', ')} }`];
}

/** One chain and one set of clients for each endpoint: a client that is in a set goes there again, which renews its membership. */
function spreadSticky(scope: Scope, endpoints: readonly ProxyEndpoint[], seconds: number): string[] {
  const { program, port, dialect, id } = scope;
  const { ip, address } = dialect;
  const own = endpoints.map((endpoint) => {
    const suffix = createHash('sha256').update(`${id} ${endpoint.ip} ${endpoint.port} ${seconds}`).digest('hex').slice(0, 12);
    const clients = `aff-${suffix}`;
    program.set(clients, `type ${address}; flags dynamic,timeout; timeout ${seconds}s;`);
    const verdict = program.chain(`ep-${suffix}`, [
      `update @${clients} { ${ip} saddr }`,
      `meta l4proto ${port.protocol.toLowerCase()} dnat to ${dialect.target(endpoint.ip, endpoint.port)}`,
    ]);
    return { clients, verdict };
  });
  const spread = own.map(({ verdict }, index) => `${index} : ${verdict}`);
  return [
    ...own.map(({ clients, verdict }) => `${ip} saddr @${clients} ${verdict}`),
    `numgen random mod ${own.length} vmap { ${spread.join(', ')} }`,
  ];
}

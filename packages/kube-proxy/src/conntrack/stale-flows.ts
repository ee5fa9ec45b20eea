import { hostPort } from '../model/addresses.ts';
import type { ProxyPort } from '../model/service-port.ts';
import type { UdpFlow } from './flow.ts';

/** Where UDP clients of a port send to, and who may answer them there. */
export type Answerers = ReadonlyMap<string, ReadonlySet<string>>;

/** @param nodeIps - Where node ports answer. */
export function answerersOf(ports: readonly ProxyPort[], nodeIps: readonly string[]): Answerers {
  const answerers = new Map<string, ReadonlySet<string>>();
  for (const port of ports) {
    if (port.protocol !== 'UDP') continue;
    const { cluster, local } = port.endpoints;
    const internal = new Set((port.internalLocal ? local : cluster).map(({ ip, port: number }) => hostPort(ip, number)));
    // Pods and the node itself may go anywhere also under policy Local.
    const external = new Set([...cluster, ...local].map(({ ip, port: number }) => hostPort(ip, number)));
    answerers.set(hostPort(port.clusterIp, port.port), internal);
    for (const ip of [...port.externalIps, ...port.loadBalancerIps]) answerers.set(hostPort(ip, port.port), external);
    if (port.nodePort !== 0) for (const ip of nodeIps) answerers.set(hostPort(ip, port.nodePort), external);
  }
  return answerers;
}

/**
 * Flows to Services that lead to no endpoint of theirs: UDP has no end of a connection, so a client that goes on from the same port would
 * never reach another endpoint. One of each way is enough.
 */
export function staleFlows(flows: readonly UdpFlow[], answerers: Answerers): UdpFlow[] {
  const stale = new Map<string, UdpFlow>();
  for (const flow of flows) {
    const destination = hostPort(flow.destination, flow.destinationPort);
    const answerer = hostPort(flow.answerer, flow.answererPort);
    const allowed = answerers.get(destination);
    if (allowed !== undefined && !allowed.has(answerer)) stale.set(`${destination} ${answerer}`, flow);
  }
  return [...stale.values()];
}

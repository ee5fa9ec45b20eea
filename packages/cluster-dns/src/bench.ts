import { createSocket } from 'node:dgram';
import { newAuthority } from './authority.ts';
import { newResolver } from './resolver.ts';
import { listenOverUdp } from './server/udp-listener.ts';
import { encodeName } from './wire/name.ts';
import { encodeQuery, encodeQuestion } from './wire/query.ts';
import { newClusterZone } from './zone/cluster-zone.ts';
import { newServiceIndex } from './zone/service-index.ts';

export interface DnsLoad {
  /** @default 5000 */
  readonly queriesPerSecond?: number;
  /** @default 2 */
  readonly seconds?: number;
  /** Services in the cluster. @default 1000 */
  readonly services?: number;
}

export interface DnsLatency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly answered: number;
  readonly lost: number;
}

const DOMAIN = 'cluster.local';

/**
 * Asks a server in this process over loopback, at an even rate, for names that are there and (three of four, as search paths do) for names
 * that are not. Client and server share one thread, so the numbers hold the client's work too.
 */
export async function dnsLatency({ queriesPerSecond = 5000, seconds = 2, services = 1000 }: DnsLoad = {}): Promise<DnsLatency> {
  const listener = await listenOverUdp({ address: '127.0.0.1', port: 0 }, newBenchResolver(services), fail);
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  const total = queriesPerSecond * seconds;
  const sentAtMs = new Float64Array(0x1_0000);
  const latencies: number[] = [];
  socket.on('message', (message) => latencies.push(performance.now() - (sentAtMs[message.readUInt16BE(0)] ?? 0)));
  await new Promise<void>((resolve) => socket.connect(listener.port, '127.0.0.1', resolve));
  const startMs = performance.now();
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) * queriesPerSecond) / 1000));
    for (; sent < due; sent += 1) {
      sentAtMs[sent & 0xffff] = performance.now();
      socket.send(benchQuery(sent, services));
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const endMs = performance.now() + 1000;
  while (latencies.length < total && performance.now() < endMs) await new Promise<void>((resolve) => setImmediate(resolve));
  socket.close();
  await listener.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99), answered: latencies.length, lost: total - latencies.length };
}

function newBenchResolver(services: number) {
  const index = newServiceIndex(DOMAIN, 5);
  for (let i = 0; i < services; i += 1) {
    const clusterIP = `10.96.${i >> 8}.${i & 255}`;
    const metadata = { name: `s${i}`, namespace: 'default', uid: `${i}`, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
    index.putService({
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ port: 80 }] },
      status: {},
    });
  }
  const random = { integer: () => 0, float: () => 0, bytes: (length: number) => new Uint8Array(length), uuid: () => '' };
  const hasNamespace = (name: string): boolean => name === 'default';
  const zone = newClusterZone({ zone: DOMAIN, ttl: 5, services: index, hasNamespace, serverAddresses: [] });
  const authority = newAuthority({
    domain: DOMAIN,
    zone,
    namesOf: index.namesOf,
    ownRanges: [],
    random,
    ttl: 5,
    negativeTtl: 5,
    hasSynced: () => true,
    serial: () => 1,
  });
  return newResolver({ authority, forwarder: { forward: async () => undefined, cached: () => undefined, close: () => undefined } });
}

const suffixes = ['default.svc.cluster.local', 'other.svc.cluster.local', 'svc.cluster.local', 'cluster.local'];

function benchQuery(number: number, services: number): Buffer {
  const name = encodeName(`s${number % services}.${suffixes[number & 3]}`) ?? Buffer.of(0);
  return encodeQuery({ id: number & 0xffff, flags: 0x100, question: encodeQuestion(name, number & 4 ? 28 : 1) });
}

function fail(error: Error): void {
  throw error;
}

import { endpointSlices, services } from '@orrery/api';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import type { NewObject } from '@orrery/apimachinery';
import { type Clock, type Deferred, deferred } from '@orrery/base';
import type { Client, InformerFactory } from '@orrery/client';
import { silentLogger } from '@orrery/component';
import { runCommand } from '../command.ts';
import { newMachine } from '../machine.ts';
import { newNft } from '../nft/nft.ts';
import { newNftBackend } from '../nft/nft-backend.ts';
import { newServiceTracker, type ServiceTracker } from '../service-tracker.ts';
import { SyncLoop } from '../sync-loop.ts';

export interface ProgramServicesOptions {
  /** To an API server that is the measurement's own. */
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** Name of a network namespace to make, and to remove in the end. */
  readonly netns: string;
  /** @default 1000, with two endpoints each */
  readonly services?: number;
  /** @default 20 */
  readonly changes?: number;
}

export interface ProgramServicesResult {
  /** All Services as one transaction. */
  readonly loadMs: number;
  /** Of each change: from the write of one EndpointSlice until the kernel has it. */
  readonly changeMs: readonly number[];
}

const NAMESPACE = 'default';
const nameOf = (index: number): string => `bench-${index}`;

function sliceOf(index: number, turn: number): NewObject<EndpointSlice> {
  const octets = `${(index >> 8) & 255}.${index & 255}`;
  return {
    metadata: { namespace: NAMESPACE, name: nameOf(index), labels: { 'kubernetes.io/service-name': nameOf(index) } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080 + turn, protocol: 'TCP' }],
    endpoints: [`10.244.${octets}`, `10.245.${octets}`].map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}

/** Measures how fast nftables follow the API. Needs the right to make network namespaces. */
export async function programServices(options: ProgramServicesOptions): Promise<ProgramServicesResult> {
  const { client, netns, services: count = 1000 } = options;
  for (let index = 0; index < count; index++) {
    await client.create(services, {
      metadata: { namespace: NAMESPACE, name: nameOf(index) },
      spec: { ports: [{ port: 80, protocol: 'TCP' }] },
    });
    await client.create(endpointSlices, sliceOf(index, 0));
  }
  const made = await runCommand('ip', ['netns', 'add', netns]);
  if (made.code !== 0) throw new Error(made.stderr);
  try {
    return await measure(options);
  } finally {
    await runCommand('ip', ['netns', 'delete', netns]);
  }
}

/** A proxy that says when it has programmed something. */
function newProxy({ informers, clock, netns }: ProgramServicesOptions) {
  let written: Deferred<void> = deferred();
  let loop: SyncLoop | undefined;
  const tracker: ServiceTracker = newServiceTracker({
    informers,
    nodeName: 'bench',
    families: ['IPv4'],
    onChange: () => loop?.wake(),
    onPodCidrs: () => loop?.resync(),
  });
  const backend = newNftBackend({
    instanceId: 'bench',
    families: ['IPv4'],
    clusterCidrs: ['10.244.0.0/15'],
    nft: newNft(newMachine(`/var/run/netns/${netns}`)),
    skeletonOf: () => ({ nodeIps: ['127.0.0.1'], serviceCidrs: ['10.96.0.0/12'], bridgedCidrs: [], localhost: true }),
  });
  return {
    tracker,
    /** Resolves with the next write. */
    next(): Promise<void> {
      written = deferred();
      return written.promise;
    },
    run(signal: AbortSignal): Promise<void> {
      loop = new SyncLoop({ tracker, backend, clock, log: silentLogger, onSynced: async () => written.resolve() });
      return loop.run(signal);
    },
  };
}

async function measure(options: ProgramServicesOptions): Promise<ProgramServicesResult> {
  const { client, clock, services: count = 1000, changes = 20 } = options;
  const stop = new AbortController();
  const proxy = newProxy(options);
  const informing = proxy.tracker.run(stop.signal);
  await proxy.tracker.waitForSync(stop.signal);
  const started = clock.monotonicMs();
  const loaded = proxy.next();
  const running = proxy.run(stop.signal);
  await loaded;
  const loadMs = clock.monotonicMs() - started;
  const changeMs: number[] = [];
  for (let turn = 1; turn <= changes; turn++) {
    await clock.sleep(100); // Past the pause between two writes: a change meets a proxy at rest.
    const index = (turn * 37) % count;
    const { ports, endpoints } = sliceOf(index, turn);
    const changed = proxy.next();
    const began = clock.monotonicMs();
    await client.patch(endpointSlices, { namespace: NAMESPACE, name: nameOf(index) }, 'merge', { ports, endpoints });
    await changed;
    changeMs.push(clock.monotonicMs() - began);
  }
  stop.abort();
  await Promise.all([running, informing]);
  return { loadMs, changeMs };
}

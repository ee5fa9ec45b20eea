import type { ObjectReference } from '@orrery/api/core/v1';
import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import type { PodCgroups } from '../cgroups/pod-cgroups.ts';
import type { KubeletConfig } from '../config.ts';
import type { EventSink } from '../runtime/events.ts';
import type { Directories } from '../volumes/directories.ts';
import type { PodCleaner } from '../worker/pod-cleaner.ts';
import type { PodWorkers } from '../worker/pod-workers.ts';
import { type Evictor, newEvictor } from './evictor.ts';
import { newImageGc } from './image-gc.ts';
import { observe } from './observe.ts';
import { newUsageReader } from './pod-usage.ts';

export interface EvictionParts {
  readonly evictor: Evictor;
  collectImages(): Promise<void>;
}

interface Deps {
  readonly config: KubeletConfig;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventSink;
  readonly nodeName: string;
  readonly rootDirectory: string;
  readonly directories: Directories;
  readonly cgroups: PodCgroups | undefined;
  readonly workers: () => PodWorkers;
  readonly cleaner: PodCleaner;
  readonly onPressureChange: () => void;
}

/** What keeps the node from running out, joined. */
export function newEvictionParts(deps: Deps): EvictionParts {
  const { config, runtime, clock, log, events, nodeName, rootDirectory, directories, cgroups, workers, cleaner } = deps;
  const node: ObjectReference = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
  const look = () => observe(rootDirectory, runtime);
  const limits = {
    highPercent: config.imageGcHighThresholdPercent,
    lowPercent: config.imageGcLowThresholdPercent,
    minAgeMs: 120_000, // Source: KubeletConfiguration.imageMinimumGCAge.
  };
  const images = newImageGc({ runtime, clock, log, events, node, limits });
  const evictor = newEvictor({
    ...config,
    clock,
    log,
    events,
    node,
    observe: look,
    activePods: () => workers().active(),
    isStopped: (uid) => workers().isStopped(uid),
    usage: newUsageReader({ runtime, directories, cgroups }),
    evict(uid, { message, graceSeconds, disruption }) {
      workers().evict(uid, { reason: 'Evicted', message, disruption }, graceSeconds);
    },
    async reclaimDisk() {
      for (const uid of workers().uids()) if (workers().isStopped(uid)) await cleaner.removeDead(uid);
      await images.removeUnused();
    },
    onPressureChange: deps.onPressureChange,
  });
  return { evictor, collectImages: async () => await images.collect((await look())['imagefs.available']) };
}

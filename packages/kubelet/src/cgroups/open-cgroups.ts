import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { KubeletConfig } from '../config.ts';
import type { Machine } from '../node/machine.ts';
import { allocatableOf, ownCapacity } from '../node/node-status.ts';
import { messageOf } from '../runtime/errors.ts';
import { type EventSink, reasons } from '../runtime/events.ts';
import { readHierarchy } from './hierarchy.ts';
import { newPodCgroups, type PodCgroups } from './pod-cgroups.ts';
import { newCgroupTree } from './tree.ts';

export interface OpenCgroups {
  readonly version: 1 | 2;
  readonly pods: PodCgroups;
}

interface Input {
  readonly config: KubeletConfig;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventSink;
  readonly nodeName: string;
}

/**
 * The groups of the node's pods, ready to be filled. `undefined` where the configuration wants none, and where the machine does not
 * allow any (no privilege, nothing delegated, no hierarchy): then pods run without, which is said once.
 */
export async function openCgroups({ config, machine, clock, log, events, nodeName }: Input): Promise<OpenCgroups | undefined> {
  const { cgroupRoot, podPidsLimit, reserved } = config;
  if (cgroupRoot === undefined) return undefined;
  const about = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
  try {
    const hierarchy = await readHierarchy();
    if (hierarchy === undefined) throw new Error('no control groups are mounted');
    const tree = newCgroupTree(hierarchy, clock);
    const pods = newPodCgroups(tree, cgroupRoot, podPidsLimit);
    await pods.prepare(allocatableOf(ownCapacity({ machine, ...config }), reserved));
    events.event(about, 'Normal', reasons.nodeAllocatableEnforced, 'Updated Node Allocatable limit across pods');
    return { version: hierarchy.version, pods };
  } catch (err) {
    const problem = messageOf(err);
    log.warn('pods as a whole are not limited: the control groups cannot be used', { cgroupRoot, error: problem });
    const message = `Failed to update Node Allocatable Limits ${JSON.stringify(problem)}`;
    events.event(about, 'Warning', reasons.failedNodeAllocatableEnforcement, message);
    return undefined;
  }
}

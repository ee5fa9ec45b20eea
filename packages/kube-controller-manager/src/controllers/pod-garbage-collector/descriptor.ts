import { nodes as nodeResource, pods as podResource } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import { isPodTerminal } from '@orrery/client';
import type { ControllerDescriptor } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { type Disruption, disruptionCondition, patchPodStatus } from '../disruption.ts';
import { newPeriodic } from '../periodic.ts';
import { outOfService, quarantine, surplusTerminated, unscheduledTerminating } from './collectable.ts';

const PERIOD_MS = 20_000;
const PARALLEL = 50;
const nodeGone: Disruption = { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };

/** Deletes pods that no kubelet will: of nodes that are gone, never scheduled, or ended and too many. */
export const podGarbageCollector: ControllerDescriptor<ControllerContext> = {
  name: 'pod-garbage-collector-controller',
  featureGates: [],
  create(context) {
    const { client, clock, informers, log, config } = context;
    const pods = informers.informer(podResource);
    const nodes = informers.informer(nodeResource);
    const missingSinceMs = new Map<string, number>(); // By name, only nodes that pods name and the cache has not.

    /** Of the candidates, those that the server does not know either. */
    const goneNodes = async (candidates: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>> => {
      const gone = new Set<string>();
      for (const name of candidates) {
        try {
          await client.get(nodeResource, { name }, { signal });
        } catch (error) {
          if (!isNotFound(error)) throw error;
          gone.add(name);
        }
      }
      return gone;
    };
    const collect = async (pod: Pod, disruption: Disruption | undefined, signal: AbortSignal): Promise<void> => {
      try {
        if (!isPodTerminal(pod)) {
          const conditions = disruption === undefined ? {} : { conditions: [disruptionCondition(pod, disruption, clock.now())] };
          await patchPodStatus(client, pod, { phase: 'Failed', ...conditions }, signal);
        }
        await client.delete(podResource, pod.metadata, { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid }, signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    };
    const collectAll = async (victims: readonly Pod[], disruption: Disruption | undefined, signal: AbortSignal): Promise<void> => {
      for (let from = 0; from < victims.length; from += PARALLEL) {
        const outcomes = await Promise.allSettled(victims.slice(from, from + PARALLEL).map((pod) => collect(pod, disruption, signal)));
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') log.warn('a pod could not be collected', { error: outcome.reason as unknown });
        }
      }
    };
    return newPeriodic({
      name: 'pod-garbage-collector-controller',
      clock,
      log,
      periodMs: PERIOD_MS,
      reads: [pods, nodes],
      async tick(signal) {
        const all = pods.lister.list();
        const nodeOf = (name: string) => nodes.lister.get(name);
        await collectAll(surplusTerminated(all, config.terminatedPodsMax), undefined, signal);
        await collectAll(outOfService(all, nodeOf), undefined, signal);
        const due = quarantine(missingSinceMs, all, (name) => nodeOf(name) !== undefined, clock.monotonicMs());
        const gone = await goneNodes(due, signal);
        await collectAll(
          all.filter(({ spec }) => gone.has(spec.nodeName ?? '')),
          nodeGone,
          signal,
        );
        await collectAll(unscheduledTerminating(all), undefined, signal);
      },
    });
  },
};

import { isDeepStrictEqual } from 'node:util';
import { nodes as nodeResource, pods as podResource } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { isNotFound, keyOf } from '@orrery/apimachinery';
import { byNodeName, isPodTerminating, nodeNameIndex } from '@orrery/client';
import { type ControllerDescriptor, newController, type Result, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { type Disruption, disruptionCondition, patchPodStatus } from '../disruption.ts';
import { noExecuteTaints, toleratedMs } from './tolerance.ts';

const WORKERS = 8;
const disruption: Disruption = { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' };

/** Deletes pods that do not tolerate a `NoExecute` taint of their node, or not any longer. */
export const taintEvictionController: ControllerDescriptor<ControllerContext> = {
  name: 'taint-eviction-controller',
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics } = context;
    const nodes = informers.informer(nodeResource).lister;
    const pods = informers.informer(podResource, { indexers: { [nodeNameIndex]: byNodeName } }).lister;
    const eviction = newEviction(context);
    const concerns = (pod: Pod): boolean =>
      eviction.isPending(pod) || noExecuteTaints(nodes.get(pod.spec.nodeName ?? '')?.spec?.taints).length > 0;
    return newController({
      name: 'taint-eviction-controller',
      clock,
      informerFactory: informers,
      primary: podResource,
      predicate: {
        onAdd: concerns,
        onUpdate: (old, pod) =>
          (old.spec.nodeName !== pod.spec.nodeName || old.spec.tolerations !== pod.spec.tolerations || isPodTerminating(pod)) &&
          concerns(pod),
        onDelete: concerns,
      },
      watches: [
        watchOf({
          resource: nodeResource,
          mapToKeys: ({ metadata }) => pods.byIndex(nodeNameIndex, metadata.name).map((pod) => pod.metadata),
          predicate: {
            onAdd: ({ spec }) => noExecuteTaints(spec?.taints).length > 0,
            onUpdate: (old, node) => !isDeepStrictEqual(noExecuteTaints(old.spec?.taints), noExecuteTaints(node.spec?.taints)),
          },
        }),
      ],
      workers: WORKERS,
      reconciler: {
        reconcile: (key, signal) => eviction.decide(keyOf({ metadata: { name: key.name, namespace: key.namespace ?? '' } }), signal),
      },
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

interface Eviction {
  /** Whether the pod is to go at some time. */
  isPending(pod: Pod): boolean;
  decide(key: string, signal: AbortSignal): Promise<Result>;
}

function newEviction(context: ControllerContext): Eviction {
  const { client, clock, informers } = context;
  const nodes = informers.informer(nodeResource).lister;
  const pods = informers.informer(podResource).lister;
  const recorder = context.recorderFor('taint-eviction-controller');
  /** By pod key: when its tolerations began to be used. Only pods that are to go, or have just been told to. */
  const pending = new Map<string, { readonly uid: string; readonly sinceMs: number }>();

  const cancel = (key: string, pod: Pod | undefined): Result => {
    const cancelled = pending.delete(key);
    if (cancelled && pod !== undefined && !isPodTerminating(pod))
      recorder.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
    return {};
  };
  const evict = async (key: string, pod: Pod, signal: AbortSignal): Promise<void> => {
    recorder.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
    try {
      await patchPodStatus(client, pod, { conditions: [disruptionCondition(pod, disruption, clock.now())] }, signal);
      await client.delete(podResource, pod.metadata, { preconditions: { uid: pod.metadata.uid }, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  return {
    isPending: (pod) => pending.has(keyOf(pod)),
    async decide(key, signal) {
      const pod = pods.get(key);
      const node = nodes.get(pod?.spec.nodeName ?? '');
      if (pod === undefined || node === undefined || isPodTerminating(pod)) {
        pending.delete(key);
        return {};
      }
      const taints = noExecuteTaints(node.spec?.taints);
      const forMs = taints.length === 0 ? Number.POSITIVE_INFINITY : toleratedMs(taints, pod.spec.tolerations ?? []);
      if (forMs === Number.POSITIVE_INFINITY) return cancel(key, pod);
      const nowMs = clock.monotonicMs();
      const known = pending.get(key);
      const sinceMs = known?.uid === pod.metadata.uid ? known.sinceMs : nowMs;
      const leftMs = sinceMs + forMs - nowMs;
      pending.set(key, { uid: pod.metadata.uid, sinceMs });
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      await evict(key, pod, signal);
      pending.delete(key);
      return {};
    },
  };
}

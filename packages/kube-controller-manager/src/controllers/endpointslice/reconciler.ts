import { endpointSlices, nodes, pods, services } from '@orrery/api';
import type { Pod, Service } from '@orrery/api/core/v1';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import { isConflict, isNotFound, keyOf, type NewObject } from '@orrery/apimachinery';
import { isNamespaceTerminating, type Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { hasSelector, selects } from '../service-endpoints/membership.ts';
import { newTriggerTimes, withTriggerTime } from '../service-endpoints/trigger-times.ts';
import { newOwnWrites, type OwnWrites } from './own-writes.ts';
import { byManagedService, managedServiceIndex } from './slice-labels.ts';
import { planSlices, type SlicePlan } from './slice-plan.ts';

/** How soon to look again when the cache has not shown our own writes. */
const STALE_MS = 10;

/** Source: endpointslice.Controller. */
export function newEndpointSliceReconciler(context: ControllerContext): Reconciler {
  const { informers, config } = context;
  const serviceLister = informers.informer(services).lister;
  const podLister = informers.informer(pods).lister;
  const nodeLister = informers.informer(nodes).lister;
  const sliceInformer = informers.informer(endpointSlices, { indexers: { [managedServiceIndex]: byManagedService } });
  const writes = newOwnWrites(sliceInformer);
  const triggerTimes = newTriggerTimes();
  const recorder = context.recorderFor('endpoint-slice-controller');

  const podsOf = (service: Service): readonly Pod[] =>
    podLister.byNamespace(service.metadata.namespace ?? '').filter(({ metadata }) => selects(service, metadata.labels));

  return {
    async reconcile(name, signal) {
      const key = keyOf({ metadata: { name: name.name, namespace: name.namespace ?? '' } });
      const service = serviceLister.get(key);
      if (service === undefined) {
        // Its slices are the garbage collector's.
        triggerTimes.forget(key);
        writes.forget(key);
        return {};
      }
      if (!hasSelector(service)) return {};
      if (writes.isStale(key)) return { requeueAfterMs: STALE_MS };
      const own = podsOf(service);
      const slices = sliceInformer.lister
        .byIndex(managedServiceIndex, key)
        .filter((slice) => slice.metadata.deletionTimestamp === undefined && !writes.isDeleted(slice));
      const triggerTime = triggerTimes.changedAt(service, own);
      const nodeOf = (nodeName: string) => nodeLister.get(nodeName);
      const plan = planSlices({ service, pods: own, slices, nodeOf, endpointsMax: config.endpointsPerSliceMax });
      try {
        await execute(context, writes, service, plan, triggerTime, signal);
        checkNodes(service, plan.withoutNode);
      } catch (error) {
        if (!isConflict(error) && !signal.aborted) {
          const message = `Error updating Endpoint Slices for Service ${key}: ${error instanceof Error ? error.message : String(error)}`;
          recorder.event(service, 'Warning', 'FailedToUpdateEndpointSlices', message);
        }
        throw error;
      }
      return {};
    },
  };
}

/** Creations first, deletions last: at no time is an endpoint missing. */
async function execute(
  { client }: ControllerContext,
  writes: OwnWrites,
  service: Service,
  plan: SlicePlan,
  triggerTime: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const key = keyOf(service);
  const stamped = <T extends EndpointSlice | NewObject<EndpointSlice>>(slice: T): T => {
    const { annotations, ...metadata } = slice.metadata;
    const next = withTriggerTime(annotations, triggerTime);
    return { ...slice, metadata: { ...metadata, ...(next === undefined ? {} : { annotations: next }) } };
  };
  // Whoever deletes the service has its slices collected: new ones would be in the way.
  const creates = service.metadata.deletionTimestamp === undefined ? plan.creates : [];
  for (const slice of creates) {
    try {
      writes.wrote(key, await client.create(endpointSlices, stamped(slice), { signal }));
    } catch (error) {
      if (isNamespaceTerminating(error)) return;
      throw error;
    }
  }
  for (const slice of plan.updates) writes.wrote(key, await client.update(endpointSlices, stamped(slice), { signal }));
  for (const slice of plan.deletes) {
    try {
      await client.delete(endpointSlices, slice.metadata, { signal });
      writes.deleted(slice);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** A pod on a node that does not exist is left out, and looked at again later. */
function checkNodes({ metadata: { name, namespace } }: Service, pods: readonly Pod[]): void {
  if (pods.length === 0) return;
  const texts = pods.map(
    ({ metadata, spec }) => `skipping Pod ${metadata.name} for Service ${namespace}/${name}: Node ${spec?.nodeName ?? ''} Not Found`,
  );
  throw new Error(texts.join('; '));
}

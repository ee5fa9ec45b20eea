import { endpointSlices, nodes, pods, services } from '@orrery/api';
import type { Pod, Service } from '@orrery/api/core/v1';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import { isConflict, keyOf, type NewObject } from '@orrery/apimachinery';
import type { Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { hasSelector, selects } from '../service-endpoints/membership.ts';
import { newTriggerTimes, withTriggerTime } from '../service-endpoints/trigger-times.ts';
import { newOwnWrites } from './own-writes.ts';
import { byManagedService, managedServiceIndex } from './slice-labels.ts';
import { planSlices, type SlicePlan } from './slice-plan.ts';
import { STALE_MS, writeSlices } from './write-slices.ts';

/** Source: endpointslice.Controller. */
export function newEndpointSliceReconciler(context: ControllerContext): Reconciler {
  const { client, informers, config } = context;
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
        await writeSlices(client, writes, key, stamped(plan, service, triggerTime), signal);
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

/** The plan with the time of the change in every slice that is written. */
function stamped(plan: SlicePlan, service: Service, triggerTime: string | undefined): SlicePlan {
  const stamp = <T extends EndpointSlice | NewObject<EndpointSlice>>(slice: T): T => {
    const { annotations, ...metadata } = slice.metadata;
    const next = withTriggerTime(annotations, triggerTime);
    return { ...slice, metadata: { ...metadata, ...(next === undefined ? {} : { annotations: next }) } };
  };
  // Whoever deletes the service has its slices collected: new ones would be in the way.
  const creates = service.metadata.deletionTimestamp === undefined ? plan.creates : [];
  return { ...plan, creates: creates.map(stamp), updates: plan.updates.map(stamp) };
}

/** A pod on a node that does not exist is left out, and looked at again later. */
function checkNodes({ metadata: { name, namespace } }: Service, pods: readonly Pod[]): void {
  if (pods.length === 0) return;
  const texts = pods.map(
    ({ metadata, spec }) => `skipping Pod ${metadata.name} for Service ${namespace}/${name}: Node ${spec?.nodeName ?? ''} Not Found`,
  );
  throw new Error(texts.join('; '));
}

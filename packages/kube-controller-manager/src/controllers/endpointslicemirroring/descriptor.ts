import { endpointSlices, endpoints, services } from '@orrery/api';
import { isConflict, keyOf } from '@orrery/apimachinery';
import { type ControllerDescriptor, newController, type Reconciler, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { newOwnWrites } from '../endpointslice/own-writes.ts';
import { SERVICE_NAME_LABEL } from '../endpointslice/slice-labels.ts';
import { STALE_MS, writeSlices } from '../endpointslice/write-slices.ts';
import { byMirrored, isMirrored, mirroredIndex, planMirror } from './mirror-plan.ts';

const NAME = 'endpointslice-mirroring-controller';

/** Keeps slices that show what hand-made Endpoints of services without a selector show: proxies read slices only. */
export const endpointSliceMirroringController: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics, config } = context;
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: endpoints,
      watches: [
        watchOf({
          resource: services,
          mapToKeys: ({ metadata }) => [metadata],
          predicate: { onUpdate: (old, { spec }) => (old.spec?.selector === undefined) !== (spec?.selector === undefined) },
        }),
        watchOf({
          resource: endpointSlices,
          mapToKeys: (slice) =>
            byMirrored(slice) === undefined
              ? []
              : [{ namespace: slice.metadata.namespace, name: slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? '' }],
        }),
      ],
      workers: config.concurrentSyncs,
      reconciler: newReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

/** Source: endpointslicemirroring.Controller. */
function newReconciler(context: ControllerContext): Reconciler {
  const { client, informers } = context;
  const endpointsLister = informers.informer(endpoints).lister;
  const serviceLister = informers.informer(services).lister;
  const sliceInformer = informers.informer(endpointSlices, { indexers: { [mirroredIndex]: byMirrored } });
  const writes = newOwnWrites(sliceInformer);
  const recorder = context.recorderFor('endpoint-slice-mirroring-controller');
  return {
    async reconcile(name, signal) {
      const key = keyOf({ metadata: { name: name.name, namespace: name.namespace ?? '' } });
      if (writes.isStale(key)) return { requeueAfterMs: STALE_MS };
      const source = endpointsLister.get(key);
      const slices = sliceInformer.lister.byIndex(mirroredIndex, key).filter((slice) => !writes.isDeleted(slice));
      const isWanted = source !== undefined && isMirrored(source, serviceLister.get(key));
      const plan = isWanted ? planMirror(source, slices) : { creates: [], updates: [], deletes: slices };
      try {
        await writeSlices(client, writes, key, plan, signal);
      } catch (error) {
        if (source !== undefined && !isConflict(error) && !signal.aborted) {
          const message = `Error updating Endpoint Slices for Endpoints ${key}: ${error instanceof Error ? error.message : String(error)}`;
          recorder.event(source, 'Warning', 'FailedToUpdateEndpointSlices', message);
        }
        throw error;
      }
      return {};
    },
  };
}

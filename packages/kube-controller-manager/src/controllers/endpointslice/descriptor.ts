import { endpointSlices, nodes, pods, services } from '@orrery/api';
import { type ControllerDescriptor, newController, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { endpointChanges, servicesOf } from '../service-endpoints/membership.ts';
import { newEndpointSliceReconciler } from './reconciler.ts';
import { byManagedService, SERVICE_NAME_LABEL } from './slice-labels.ts';

const NAME = 'endpointslice-controller';

/** Keeps, for every service with a selector, slices with the addresses of its pods. */
export const endpointSliceController: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics, config } = context;
    const serviceLister = informers.informer(services).lister;
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: services,
      watches: [
        watchOf({ resource: pods, mapToKeys: (pod) => servicesOf(serviceLister, pod), predicate: endpointChanges }),
        watchOf({
          resource: endpointSlices,
          // What others do to our slices is undone; theirs are left alone.
          mapToKeys: (slice) =>
            byManagedService(slice) === undefined
              ? []
              : [{ namespace: slice.metadata.namespace, name: slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? '' }],
        }),
      ],
      reads: [informers.informer(nodes)],
      workers: config.concurrentSyncs,
      reconciler: newEndpointSliceReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

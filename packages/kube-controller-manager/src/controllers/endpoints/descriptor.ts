import { endpoints, pods, services } from '@orrery/api';
import { type ControllerDescriptor, newController, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { endpointChanges, servicesOf } from '../service-endpoints/membership.ts';
import { isManaged } from './desired-endpoints.ts';
import { newEndpointsReconciler } from './reconciler.ts';

const NAME = 'endpoints-controller';

/** Keeps, for every service with a selector, an Endpoints object with the addresses of its pods. */
export const endpointsController: ControllerDescriptor<ControllerContext> = {
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
          resource: endpoints,
          mapToKeys: ({ metadata }) => [metadata],
          // Deleted ones are made again; ours that lost their service while nobody looked are found at the start.
          predicate: { onAdd: (object) => isManaged(object) && serviceLister.get(object.metadata) === undefined, onUpdate: () => false },
        }),
      ],
      workers: config.concurrentSyncs,
      reconciler: newEndpointsReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

import { ipAddresses, serviceCidrs } from '@orrery/api';
import { type ControllerDescriptor, newController, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { newServiceCidrReconciler } from './reconciler.ts';

const NAME = 'service-cidr-controller';

/** Says which ranges of Service addresses are ready, and keeps those that are in use from going (KEP-1880). */
export const serviceCidrController: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics } = context;
    const lister = informers.informer(serviceCidrs).lister;
    const terminating = () => lister.list().filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    const keys = () => terminating().map(({ metadata }) => ({ name: metadata.name }));
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: serviceCidrs,
      watches: [
        // With the last address gone, or another range around it, a range can go.
        watchOf({ resource: ipAddresses, mapToKeys: keys, predicate: { onAdd: () => false, onUpdate: () => false } }),
        watchOf({ resource: serviceCidrs, mapToKeys: keys }),
      ],
      reconciler: newServiceCidrReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

import { ipAddresses, services } from '@orrery/api';
import { type ControllerDescriptor, newController, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { addressesOf, newReleased, newServiceAddressReconciler } from './reconciler.ts';

const NAME = 'service-address-repair-controller';

/** Keeps the book of Service addresses true: what no Service has goes, what is missing is added. */
export const serviceAddressController: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics } = context;
    const released = newReleased();
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: ipAddresses,
      watches: [
        watchOf({
          resource: services,
          mapToKeys: (service) => addressesOf(service).map((name) => ({ name })),
          predicate: {
            onUpdate(old, service) {
              const now = new Set(addressesOf(service));
              const gone = addressesOf(old).filter((ip) => !now.has(ip));
              released.add(gone);
              return gone.length > 0;
            },
            onDelete(service) {
              released.add(addressesOf(service));
              return true;
            },
          },
        }),
      ],
      reconciler: newServiceAddressReconciler(context, released),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

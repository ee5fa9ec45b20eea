import { persistentVolumeClaims, persistentVolumes, storageClasses } from '@orrery/api';
import { type ControllerDescriptor, newController, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { newClaimReconciler } from './claim-reconciler.ts';
import { classOf } from './matching.ts';
import { newVolumeReconciler } from './volume-reconciler.ts';

/** Gives claims their volumes. A volume wakes its claim; a free one wakes the claims of its class that wait. */
export const persistentVolumeBinder: ControllerDescriptor<ControllerContext> = {
  name: 'persistentvolume-binder-controller',
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics, config } = context;
    const claims = informers.informer(persistentVolumeClaims);
    const waiting = (className: string) =>
      claims.lister
        .list()
        .filter((claim) => claim.status?.phase === 'Pending' && classOf(claim) === className)
        .map(({ metadata }) => ({ namespace: metadata.namespace, name: metadata.name ?? '' }));
    return newController({
      name: 'persistentvolume-binder-controller',
      clock,
      informerFactory: informers,
      primary: persistentVolumeClaims,
      watches: [
        watchOf({
          resource: persistentVolumes,
          mapToKeys(volume) {
            const { name, namespace } = volume.spec?.claimRef ?? {};
            return name === undefined ? waiting(classOf(volume)) : [{ namespace, name }];
          },
        }),
        watchOf({ resource: storageClasses, mapToKeys: ({ metadata }) => waiting(metadata.name ?? '') }),
      ],
      workers: config.concurrentSyncs,
      reconciler: newClaimReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

/** Keeps volumes' phases, and releases those whose claim is gone. */
export const persistentVolumeReleaser: ControllerDescriptor<ControllerContext> = {
  name: 'persistentvolume-phase-controller',
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics, config } = context;
    const volumes = informers.informer(persistentVolumes).lister;
    return newController({
      name: 'persistentvolume-phase-controller',
      clock,
      informerFactory: informers,
      primary: persistentVolumes,
      watches: [
        watchOf({
          resource: persistentVolumeClaims,
          mapToKeys: ({ metadata, spec }) =>
            volumes
              .list()
              .filter(
                (volume) =>
                  volume.metadata.name === spec?.volumeName ||
                  (volume.spec?.claimRef?.name === metadata.name && volume.spec?.claimRef?.namespace === metadata.namespace),
              )
              .map((volume) => ({ name: volume.metadata.name ?? '' })),
        }),
      ],
      workers: config.concurrentSyncs,
      reconciler: newVolumeReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

import { persistentVolumeClaims, pods } from '@orrery/api';
import type { Pod, Volume } from '@orrery/api/core/v1';
import { isAlreadyExists } from '@orrery/apimachinery';
import { isPodTerminal } from '@orrery/client';
import { type ControllerDescriptor, newController, ownedBy } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';

const ephemeralOf = ({ spec }: Pod): readonly Volume[] => (spec.volumes ?? []).filter(({ ephemeral }) => ephemeral !== undefined);

/** The claim of a pod's ephemeral volume: it goes with the pod. Source: KEP-1698. */
function claimFor({ metadata }: Pod, { name, ephemeral }: Volume) {
  const template = ephemeral?.volumeClaimTemplate;
  const owner = { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
  return {
    metadata: {
      name: `${metadata.name}-${name}`,
      namespace: metadata.namespace ?? '',
      ownerReferences: [owner],
      ...(template?.metadata?.labels === undefined ? {} : { labels: template.metadata.labels }),
      ...(template?.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
    },
    spec: template?.spec ?? {},
  };
}

/** Makes the claims of pods' ephemeral volumes. */
export const ephemeralVolumeController: ControllerDescriptor<ControllerContext> = {
  name: 'ephemeral-volume-controller',
  featureGates: [],
  create({ client, clock, informers, log, config, recorderFor }) {
    const podLister = informers.informer(pods).lister;
    const claims = informers.informer(persistentVolumeClaims).lister;
    const recorder = recorderFor('ephemeral_volume');

    async function ensure(pod: Pod, volume: Volume): Promise<void> {
      const claim = claimFor(pod, volume);
      const { name, namespace } = claim.metadata;
      const present = claims.get({ namespace, name });
      if (present === undefined) {
        try {
          await client.create(persistentVolumeClaims, claim);
        } catch (err) {
          if (isAlreadyExists(err)) throw err; // The cache lags: look again.
          const said = err instanceof Error ? err.message : String(err);
          recorder.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: create PVC ${namespace}/${name}: ${said}`);
          throw err;
        }
        return;
      }
      const mine = (present.metadata.ownerReferences ?? []).some(({ controller, uid }) => controller === true && uid === pod.metadata.uid);
      if (mine) return;
      const where = `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`;
      recorder.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${where}`);
      throw new Error(where);
    }

    return newController({
      name: 'ephemeral-volume-controller',
      clock,
      informerFactory: informers,
      primary: pods,
      predicate: { onAdd: (pod) => ephemeralOf(pod).length > 0, onUpdate: () => false, onDelete: () => false },
      watches: [ownedBy(pods, persistentVolumeClaims, { onAdd: () => false, onUpdate: () => false })],
      workers: config.concurrentSyncs,
      reconciler: {
        async reconcile(key) {
          const pod = podLister.get(key);
          if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod)) return {};
          for (const volume of ephemeralOf(pod)) await ensure(pod, volume);
          return {};
        },
      },
      log,
    });
  },
};

import { persistentVolumeClaims, persistentVolumes } from '@orrery/api';
import type { PersistentVolume } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import type { Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { boundByControllerAnnotation } from './claim-reconciler.ts';

/** Who made the volume, and so takes it away. Wire format. */
const provisionedByAnnotation = 'pv.kubernetes.io/provisioned-by';

/** What becomes of a volume whose claim is gone; undefined: nothing. */
export function reclaimFailure({
  metadata,
  spec = {},
}: PersistentVolume): { readonly reason: string; readonly message: string } | undefined {
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    return { reason: 'VolumeFailedRecycle', message: 'No recycler plugin found for the volume!' };
  }
  if (spec.persistentVolumeReclaimPolicy !== 'Delete' || metadata.annotations?.[provisionedByAnnotation] !== undefined) return undefined;
  const message = `error getting deleter volume plugin for volume "${metadata.name}": no deletable volume plugin matched`;
  return { reason: 'VolumeFailedDelete', message };
}

/** Tells what phase a volume is in, and lets go of a claim that is gone. Source: pv controller syncVolume. */
export function newVolumeReconciler({ client, informers, recorderFor }: ControllerContext): Reconciler {
  const volumes = informers.informer(persistentVolumes).lister;
  const recorder = recorderFor('persistentvolume-controller');

  async function setPhase({ metadata, status }: PersistentVolume, phase: string, message = '', reason = ''): Promise<void> {
    if (status?.phase === phase && (status.message ?? '') === message) return;
    const key = { name: metadata.name ?? '' };
    await client.patch(persistentVolumes, key, 'merge', { status: { phase, message, reason } }, { subresource: 'status' });
  }

  async function release(volume: PersistentVolume): Promise<void> {
    const failure = reclaimFailure(volume);
    if (failure === undefined || volume.status?.phase === 'Failed') {
      if (volume.status?.phase !== 'Failed') await setPhase(volume, 'Released');
      return;
    }
    recorder.event(volume, 'Warning', failure.reason, failure.message);
    await setPhase(volume, 'Failed', failure.message);
  }

  /** From the server: a cache that lags must not let go of a volume. */
  async function claimOf({ spec }: PersistentVolume) {
    const { name = '', namespace = '' } = spec?.claimRef ?? {};
    try {
      return await client.get(persistentVolumeClaims, { namespace, name });
    } catch (err) {
      if (isNotFound(err)) return undefined;
      throw err;
    }
  }

  return {
    async reconcile(key) {
      const volume = volumes.get(key);
      if (volume === undefined) return {};
      const { claimRef } = volume.spec ?? {};
      if (claimRef === undefined || (claimRef.uid ?? '') === '') {
        await setPhase(volume, 'Available');
        return {};
      }
      const claim = await claimOf(volume);
      if (claim === undefined || claim.metadata.uid !== claimRef.uid) {
        await release(volume);
        return {};
      }
      const named = claim.spec?.volumeName ?? '';
      if (named === volume.metadata.name) await setPhase(volume, 'Bound');
      else if (named !== '' && volume.metadata.annotations?.[boundByControllerAnnotation] !== undefined) {
        // The claim has another one: this was our choice, so it is free again.
        await client.patch(persistentVolumes, key, 'merge', {
          metadata: { resourceVersion: volume.metadata.resourceVersion, annotations: { [boundByControllerAnnotation]: null } },
          spec: { claimRef: null },
        });
      } else if (named !== '' && volume.metadata.annotations?.[provisionedByAnnotation] !== undefined) await release(volume);
      return {};
    },
  };
}

import { persistentVolumeClaims, persistentVolumes } from '@orrery/api';
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import type { Client } from '@orrery/client';
import { messageOf } from '../runtime/errors.ts';

/** A claim and the volume that it is bound to. */
export interface BoundClaim {
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume;
}

/** Claims of pods, as the API has them now. */
export interface Claims {
  /**
   * The bound claim that a pod's volume names.
   * @throws {Error} while it cannot be used; worded as upstream's volume populator.
   */
  bound(pod: Pod, claimName: string, ephemeral: boolean): Promise<BoundClaim>;
}

/** Name of the claim that a volume means; `undefined` for volumes without one. An ephemeral volume's is made by a controller. Source: KEP-1698. */
export function claimNameOf(pod: Pod, { name, persistentVolumeClaim, ephemeral }: Volume): string | undefined {
  if (persistentVolumeClaim !== undefined) return persistentVolumeClaim.claimName;
  return ephemeral === undefined ? undefined : `${pod.metadata.name}-${name}`;
}

const isOwnedBy = ({ metadata }: PersistentVolumeClaim, pod: Pod): boolean =>
  (metadata.ownerReferences ?? []).some(({ controller, uid }) => controller === true && uid === pod.metadata.uid);

export function newClaims(client: Client): Claims {
  async function find(pod: Pod, name: string): Promise<PersistentVolumeClaim> {
    const { namespace = '' } = pod.metadata;
    try {
      return await client.get(persistentVolumeClaims, { namespace, name });
    } catch (err) {
      const hint = isNotFound(err) ? `persistentvolumeclaim "${name}" not found` : messageOf(err);
      throw new Error(`failed to fetch PVC from API server: ${hint}`, { cause: err });
    }
  }

  async function volumeOf(claim: PersistentVolumeClaim): Promise<PersistentVolume> {
    const name = claim.spec?.volumeName ?? '';
    const claimed = await client.get(persistentVolumes, { name }).catch((err: unknown) => {
      throw new Error(`failed to fetch PV ${name} from API server: ${messageOf(err)}`, { cause: err });
    });
    const { claimRef } = claimed.spec ?? {};
    if (claimRef?.uid !== claim.metadata.uid) {
      throw new Error(`failed to fetch PV ${name}: PV is not bound to PVC: its claimRef is of another claim`);
    }
    return claimed;
  }

  return {
    async bound(pod, claimName, ephemeral) {
      const where = `PVC ${pod.metadata.namespace ?? ''}/${claimName}`;
      try {
        const claim = await find(pod, claimName);
        if (ephemeral && !isOwnedBy(claim, pod)) {
          throw new Error(
            `PVC ${pod.metadata.namespace ?? ''}/${claimName} was not created for pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name} (pod is not owner)`,
          );
        }
        if (claim.metadata.deletionTimestamp !== undefined) throw new Error('PVC is being deleted');
        if (claim.status?.phase !== 'Bound' || (claim.spec?.volumeName ?? '') === '') throw new Error('PVC is not bound');
        return { claim, volume: await volumeOf(claim) };
      } catch (err) {
        throw new Error(`error processing ${where}: ${messageOf(err)}`, { cause: err });
      }
    },
  };
}

import { rm } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '@orrery/api';
import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api/core/v1';
import type { StorageClass } from '@orrery/api/storage/v1';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import { type Clock, newKeyedMutex, type Random } from '@orrery/base';
import { type Client, newInformerFactory } from '@orrery/client';
import type { Logger } from '@orrery/component';
import { messageOf } from '../runtime/errors.ts';
import type { EventSink } from '../runtime/events.ts';
import { provisionedDirectoryAnnotation } from './persistent-path.ts';

/** Classes with this provisioner have their volumes as directories on nodes. */
export const DIRECTORY_PROVISIONER = 'orrery.dev/directory';
const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
const provisionerAnnotation = 'volume.kubernetes.io/storage-provisioner';
const provisionedByAnnotation = 'pv.kubernetes.io/provisioned-by';
const hostNameLabel = 'kubernetes.io/hostname';
const RETRY_MS = 10_000;

export interface DirectoryProvisionerOptions {
  /** May read claims and classes, and read, make and delete volumes. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: EventSink;
  readonly nodeName: string;
  /** The node's label `kubernetes.io/hostname`. */
  readonly hostName: string;
  /** Where the volumes of this node lie; absolute. Nothing else may lie there. */
  readonly directory: string;
}

/** The volume of a claim, bound to this node. */
export function directoryVolume(
  claim: PersistentVolumeClaim,
  { reclaimPolicy = 'Delete', metadata, mountOptions }: StorageClass,
  { directory, hostName }: Pick<DirectoryProvisionerOptions, 'directory' | 'hostName'>,
) {
  const { name = '', namespace = '', uid, resourceVersion } = claim.metadata;
  const volume = `pvc-${uid}`;
  return {
    metadata: { name: volume, annotations: { [provisionedByAnnotation]: DIRECTORY_PROVISIONER, [provisionedDirectoryAnnotation]: 'true' } },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '0' },
      accessModes: claim.spec?.accessModes ?? [],
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: metadata.name ?? '',
      volumeMode: 'Filesystem',
      ...(mountOptions === undefined ? {} : { mountOptions }),
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name,
        namespace,
        uid,
        resourceVersion,
      },
      local: { path: join(directory, volume) },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostNameLabel, operator: 'In', values: [hostName] }] }] },
      },
    },
  };
}

/** Why a claim cannot be served, or undefined. */
export function refusalOf({ spec }: PersistentVolumeClaim): string | undefined {
  if (spec?.volumeMode === 'Block') return 'volumes of mode Block cannot be provisioned as directories';
  if (spec?.selector !== undefined) return 'claim.Spec.Selector is not supported';
  return spec?.dataSource === undefined ? undefined : 'a directory cannot be provisioned from a data source';
}

/**
 * Serves claims whose first pod was given to this node, and removes what released volumes held. Every node runs one; they meet in
 * the API only: the scheduler chooses the node, the claim names it, and the volume says by its path and affinity whose it is.
 */
export function newDirectoryProvisioner(options: DirectoryProvisionerOptions): { run(signal: AbortSignal): Promise<void> } {
  const { client, clock, random, log, events, nodeName, directory } = options;
  const busy = newKeyedMutex(); // One thing at a time happens to a claim or a volume.

  function tell(claim: PersistentVolumeClaim, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { name = '', namespace = '', uid = '', resourceVersion = '' } = claim.metadata;
    events.event({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid, resourceVersion }, type, reason, message);
  }

  const wanted = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
    metadata.deletionTimestamp === undefined &&
    (spec?.volumeName ?? '') === '' &&
    metadata.annotations?.[selectedNodeAnnotation] === nodeName &&
    metadata.annotations?.[provisionerAnnotation] === DIRECTORY_PROVISIONER;

  async function provision(claim: PersistentVolumeClaim): Promise<void> {
    const where = `${claim.metadata.namespace}/${claim.metadata.name}`;
    const className = claim.spec?.storageClassName ?? '';
    const problem = refusalOf(claim);
    if (problem !== undefined) {
      tell(claim, 'Warning', 'ProvisioningFailed', `failed to provision volume with StorageClass "${className}": ${problem}`);
      return;
    }
    const found = await client.get(storageClasses, { name: className });
    tell(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${where}"`);
    const volume = directoryVolume(claim, found, options);
    try {
      await client.create(persistentVolumes, volume);
    } catch (err) {
      if (!isAlreadyExists(err)) throw err;
    }
    tell(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volume.metadata.name}`);
  }

  const released = ({ metadata, spec, status }: PersistentVolume): boolean =>
    metadata.annotations?.[provisionedByAnnotation] === DIRECTORY_PROVISIONER &&
    spec?.persistentVolumeReclaimPolicy === 'Delete' &&
    status?.phase === 'Released' &&
    isOurs(spec.local?.path ?? '', metadata.name ?? '');

  /** Only the directory that {@link directoryVolume} names for it here is ever removed, whatever the object says. */
  const isOurs = (path: string, name: string): boolean =>
    isAbsolute(path) && relative(directory, path) === name && /^pvc-[0-9a-z-]+$/.test(name);

  async function reclaim({ metadata, spec }: PersistentVolume): Promise<void> {
    await rm(spec?.local?.path ?? '', { recursive: true, force: true });
    try {
      await client.delete(persistentVolumes, { name: metadata.name ?? '' }, { preconditions: { uid: metadata.uid } });
    } catch (err) {
      if (!isNotFound(err)) throw err;
    }
  }

  return {
    async run(signal) {
      const informers = newInformerFactory(client, { clock, random, log });
      const claims = informers.informer(persistentVolumeClaims);
      const volumes = informers.informer(persistentVolumes);
      const attempt = (key: string, isDue: () => boolean, work: () => Promise<void>): void => {
        void busy.run(key, async () => {
          while (isDue() && !signal.aborted) {
            try {
              await work();
              return;
            } catch (err) {
              log.warn('a directory for a claim failed', { key, error: messageOf(err) });
              await clock.sleep(RETRY_MS, signal).catch(() => {});
            }
          }
        });
      };
      const onClaim = (claim: PersistentVolumeClaim): void => {
        if (!wanted(claim)) return;
        const latest = () => claims.lister.get({ namespace: claim.metadata.namespace, name: claim.metadata.name ?? '' });
        const isDue = (): boolean => {
          const now = latest();
          return now !== undefined && now.metadata.uid === claim.metadata.uid && wanted(now);
        };
        attempt(`claim/${claim.metadata.uid}`, isDue, () => provision(latest() ?? claim));
      };
      const onVolume = (volume: PersistentVolume): void => {
        if (!released(volume)) return;
        const latest = () => volumes.lister.get({ name: volume.metadata.name ?? '' });
        const isDue = (): boolean => {
          const now = latest();
          return now !== undefined && released(now);
        };
        attempt(`volume/${volume.metadata.uid}`, isDue, () => reclaim(volume));
      };
      claims.addHandler({ onAdd: onClaim, onUpdate: (_, claim) => onClaim(claim) });
      volumes.addHandler({ onAdd: onVolume, onUpdate: (_, volume) => onVolume(volume) });
      await informers.run(signal);
    },
  };
}

import { persistentVolumeClaims, persistentVolumes, storageClasses } from '@orrery/api';
import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api/core/v1';
import type { NamespacedName } from '@orrery/apimachinery';
import type { Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { bestMatch, classOf, isFor, mismatch } from './matching.ts';

/** On claims that this controller has bound, and never takes away. Wire format. */
export const bindCompletedAnnotation = 'pv.kubernetes.io/bind-completed';
/** On claims and volumes whose partner this controller chose. Wire format. */
export const boundByControllerAnnotation = 'pv.kubernetes.io/bound-by-controller';
const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
const provisionerAnnotation = 'volume.kubernetes.io/storage-provisioner';
const betaProvisionerAnnotation = 'volume.beta.kubernetes.io/storage-provisioner';

/** The claim names no volume, or names one and awaits it: again after this long, for what no event tells. */
const RETRY_MS = 15_000;

/** Gives claims their volumes. Source: pv controller syncClaim. */
export function newClaimReconciler({ client, informers, recorderFor }: ControllerContext): Reconciler {
  const claims = informers.informer(persistentVolumeClaims).lister;
  const volumes = informers.informer(persistentVolumes).lister;
  const classes = informers.informer(storageClasses).lister;
  const recorder = recorderFor('persistentvolume-controller');
  const keyOf = ({ metadata }: PersistentVolumeClaim): NamespacedName => ({ namespace: metadata.namespace, name: metadata.name ?? '' });

  /** Writes what differs; the version makes sure that nobody else has meanwhile. */
  async function bindVolume(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<PersistentVolume> {
    const { claimRef } = volume.spec ?? {};
    if (claimRef?.uid === claim.metadata.uid) return volume;
    const { resourceVersion } = volume.metadata;
    const { name, namespace, uid } = claim.metadata;
    const chosen = claimRef === undefined ? { annotations: { [boundByControllerAnnotation]: 'yes' } } : {};
    const reference = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      name,
      namespace,
      uid,
      resourceVersion: claim.metadata.resourceVersion,
    };
    return await client.patch(persistentVolumes, { name: volume.metadata.name ?? '' }, 'merge', {
      metadata: { resourceVersion, ...chosen },
      spec: { claimRef: reference },
    });
  }

  async function setVolumePhase(volume: PersistentVolume): Promise<void> {
    if (volume.status?.phase === 'Bound') return;
    const name = volume.metadata.name ?? '';
    await client.patch(persistentVolumes, { name }, 'merge', { status: { phase: 'Bound' } }, { subresource: 'status' });
  }

  async function bindClaim(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    const { annotations = {}, resourceVersion } = claim.metadata;
    const name = volume.metadata.name ?? '';
    const completed = annotations[bindCompletedAnnotation] !== undefined && claim.spec?.volumeName === name;
    if (!completed) {
      const chosen = (claim.spec?.volumeName ?? '') === '' ? { [boundByControllerAnnotation]: 'yes' } : {};
      await client.patch(persistentVolumeClaims, keyOf(claim), 'merge', {
        metadata: { resourceVersion, annotations: { [bindCompletedAnnotation]: 'yes', ...chosen } },
        spec: { volumeName: name },
      });
    }
    if (claim.status?.phase === 'Bound') return;
    const { accessModes, capacity } = volume.spec ?? {};
    const status = { phase: 'Bound', accessModes, capacity };
    await client.patch(persistentVolumeClaims, keyOf(claim), 'merge', { status }, { subresource: 'status' });
  }

  async function bind(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    const bound = await bindVolume(volume, claim);
    await setVolumePhase(bound);
    await bindClaim(claim, bound);
  }

  async function lose(claim: PersistentVolumeClaim, reason: string, message: string): Promise<void> {
    if (claim.status?.phase === 'Lost') return;
    recorder.event(claim, 'Warning', reason, message);
    const status = { phase: 'Lost', accessModes: null, capacity: null };
    await client.patch(persistentVolumeClaims, keyOf(claim), 'merge', { status }, { subresource: 'status' });
  }

  /** The claim names its volume: the user's choice, or ours of before. */
  async function syncNamed(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): Promise<void> {
    const completed = claim.metadata.annotations?.[bindCompletedAnnotation] !== undefined;
    if (volume === undefined) {
      if (completed) await lose(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
      return;
    }
    if (volume.spec?.claimRef !== undefined && !isFor(volume, claim)) {
      if (completed) await lose(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
      return;
    }
    const problem = volume.spec?.claimRef === undefined && !completed ? mismatch(volume, claim) : undefined;
    if (problem === undefined) await bind(claim, volume);
    else recorder.event(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume "${volume.metadata.name}": ${problem}`);
  }

  /** Somebody outside makes volumes of this class: tells who is to, and that it is awaited. */
  async function askForVolume(claim: PersistentVolumeClaim, className: string): Promise<void> {
    const found = classes.get({ name: className });
    if (found === undefined) {
      recorder.event(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`);
      return;
    }
    const { provisioner } = found;
    if (provisioner.startsWith('kubernetes.io/')) {
      recorder.event(claim, 'Warning', 'ProvisioningFailed', `no volume plugin matched name: ${provisioner}`);
      return;
    }
    const { annotations = {}, resourceVersion } = claim.metadata;
    if (annotations[provisionerAnnotation] !== provisioner) {
      const marks = { [provisionerAnnotation]: provisioner, [betaProvisionerAnnotation]: provisioner };
      await client.patch(persistentVolumeClaims, keyOf(claim), 'merge', { metadata: { resourceVersion, annotations: marks } });
    }
    const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
    recorder.event(claim, 'Normal', 'ExternalProvisioning', message);
  }

  async function syncUnnamed(claim: PersistentVolumeClaim): Promise<void> {
    const className = classOf(claim);
    const waits =
      classes.get({ name: className })?.volumeBindingMode === 'WaitForFirstConsumer' &&
      claim.metadata.annotations?.[selectedNodeAnnotation] === undefined;
    const match = bestMatch(claim, volumes.list(), waits);
    if (match !== undefined) await bind(claim, match);
    else if (waits) recorder.event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
    else if (className !== '') await askForVolume(claim, className);
    else recorder.event(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set');
  }

  return {
    async reconcile(key) {
      const claim = claims.get(key);
      if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return {};
      const { volumeName = '' } = claim.spec ?? {};
      if (volumeName === '') await syncUnnamed(claim);
      else await syncNamed(claim, volumes.get({ name: volumeName }));
      return claim.status?.phase === 'Pending' ? { requeueAfterMs: RETRY_MS } : {};
    },
  };
}

import { persistentVolumeClaims, persistentVolumes } from '@orrery/api';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@orrery/api/core/v1';
import type { NodeInfo } from '../../cache/node-info.ts';
import { action } from '../../framework/cluster-event.ts';
import { type CycleState, newStateKey } from '../../framework/cycle-state.ts';
import type { Handle } from '../../framework/handle.ts';
import type { Plugin } from '../../framework/plugin.ts';
import { errorStatus, skip, unresolvable, unschedulable } from '../../framework/status.ts';
import { podClaims } from '../../framework/volumes.ts';
import { canProvision, classNameOf, isBound, isReachable, selectedNodeAnnotation, volumeFor } from './claim-matching.ts';

export const NODE_CONFLICT_REASON = "node(s) didn't match PersistentVolume's node affinity";
export const BIND_CONFLICT_REASON = "node(s) didn't find available persistent volumes to bind";
export const VOLUME_GONE_REASON = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';
export const UNBOUND_IMMEDIATE_REASON = 'pod has unbound immediate PersistentVolumeClaims';

const BIND_TIMEOUT_MS = 600_000; // Source: VolumeBindingArgs.bindTimeoutSeconds.
const POLL_MS = 25; // Of caches, while controllers bind.

interface Claims {
  readonly bound: readonly PersistentVolumeClaim[];
  /** Their class waits for the node. */
  readonly delayed: readonly PersistentVolumeClaim[];
}
interface Decision {
  readonly claim: PersistentVolumeClaim;
  /** Undefined: one is to be provisioned. */
  readonly volume: PersistentVolume | undefined;
}

const claimsKey = newStateKey<Claims>('VolumeBinding/claims');
const decisionKey = newStateKey<readonly Decision[]>('VolumeBinding/decisions');

/** Why the pod cannot be placed anywhere, or its claims. */
function sortClaims(pod: Pod, { volumes }: Handle): string | Claims {
  const bound: PersistentVolumeClaim[] = [];
  const delayed: PersistentVolumeClaim[] = [];
  let unbound = false;
  for (const { name, ephemeral } of podClaims(pod)) {
    const claim = volumes.claim(pod.metadata.namespace ?? '', name);
    if (claim === undefined) {
      return ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : `persistentvolumeclaim "${name}" not found`;
    }
    if (claim.status?.phase === 'Lost') {
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`;
    }
    if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`;
    const owner = (claim.metadata.ownerReferences ?? []).find(({ controller }) => controller === true);
    if (ephemeral && owner?.uid !== pod.metadata.uid) {
      const where = `${pod.metadata.namespace}/${name}`;
      return `PVC ${where} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;
    }
    const waits = volumes.storageClass(classNameOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
    if (isBound(claim)) bound.push(claim);
    else if (waits && (claim.spec?.volumeName ?? '') === '') delayed.push(claim);
    else unbound = true;
  }
  return unbound ? UNBOUND_IMMEDIATE_REASON : { bound, delayed };
}

/** Places pods where their volumes are or can be, and waits for the binding. Source: KEP-490 and the upstream plugin of this name. */
export function newVolumeBinding(handle: Handle): Plugin {
  const { volumes, client, clock } = handle;
  const taken = new Map<string, string>(); // Volumes that pods being bound will have, by name; the value is the pod's uid.

  /** Undefined where the claims cannot be served on the node. */
  function decide(claims: readonly PersistentVolumeClaim[], node: NodeInfo): readonly Decision[] | undefined {
    const used = new Set(taken.keys());
    const decisions: Decision[] = [];
    for (const claim of claims) {
      const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
      if (selected !== undefined && selected !== node.name) return undefined;
      const volume = selected === undefined ? volumeFor(claim, volumes.volumes(), node, used) : undefined;
      if (volume === undefined && !canProvision(volumes.storageClass(classNameOf(claim)), node)) return undefined;
      if (volume !== undefined) used.add(volume.metadata.name ?? '');
      decisions.push({ claim, volume });
    }
    return decisions;
  }

  async function apply({ claim, volume }: Decision, nodeName: string, signal: AbortSignal): Promise<void> {
    const { name = '', namespace = '', uid, resourceVersion } = claim.metadata;
    if (volume === undefined) {
      if (claim.metadata.annotations?.[selectedNodeAnnotation] === nodeName) return;
      const metadata = { resourceVersion, annotations: { [selectedNodeAnnotation]: nodeName } };
      await client.patch(persistentVolumeClaims, { namespace, name }, 'merge', { metadata }, { signal });
      return;
    }
    if (volume.spec?.claimRef?.uid === uid) return;
    const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid, resourceVersion };
    const metadata = {
      resourceVersion: volume.metadata.resourceVersion,
      ...(volume.spec?.claimRef === undefined ? { annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } } : {}),
    };
    await client.patch(persistentVolumes, { name: volume.metadata.name ?? '' }, 'merge', { metadata, spec: { claimRef } }, { signal });
  }

  /** @throws {Error} when a claim is gone, or gave the node up. */
  function settled({ claim, volume }: Decision, nodeName: string, version: string): boolean {
    const { namespace = '', name = '' } = claim.metadata;
    const now = volumes.claim(namespace, name);
    if (now === undefined) throw new Error(`persistentvolumeclaim "${name}" not found`);
    if (isBound(now)) {
      const bound = volumes.volume(now.spec?.volumeName ?? '');
      const node = handle.cluster.node(nodeName);
      if (bound !== undefined && node !== undefined && !isReachable(bound, node)) {
        throw new Error(`pv "${bound.metadata.name}" node affinity doesn't match node "${nodeName}"`);
      }
      return true;
    }
    const changed = now.metadata.resourceVersion !== version;
    if (volume === undefined && changed && now.metadata.annotations?.[selectedNodeAnnotation] !== nodeName) {
      throw new Error(`selectedNode annotation reset for PVC "${name}"`);
    }
    return false;
  }

  return {
    name: 'VolumeBinding',
    eventsToRegister: () => [
      { resource: 'PersistentVolumeClaim', actions: action.add | action.update },
      { resource: 'PersistentVolume', actions: action.add | action.update },
      { resource: 'StorageClass', actions: action.add | action.update },
      { resource: 'Node', actions: action.add | action.updateNodeLabel },
    ],
    preFilter(state, { pod }) {
      if (podClaims(pod).length === 0) return skip;
      const claims = sortClaims(pod, handle);
      if (typeof claims === 'string') return unresolvable(claims);
      state.write(claimsKey, claims);
      return undefined;
    },
    filter(state, _pod, node) {
      const claims = state.read(claimsKey);
      if (claims === undefined) return undefined;
      for (const { spec } of claims.bound) {
        const volume = volumes.volume(spec?.volumeName ?? '');
        if (volume === undefined) return unresolvable(VOLUME_GONE_REASON);
        if (!isReachable(volume, node)) return unresolvable(NODE_CONFLICT_REASON);
      }
      return decide(claims.delayed, node) === undefined ? unresolvable(BIND_CONFLICT_REASON) : undefined;
    },
    reserve(state: CycleState, { uid }, nodeName) {
      const { delayed = [] } = state.read(claimsKey) ?? {};
      const node = handle.cluster.node(nodeName);
      if (delayed.length === 0 || node === undefined) return undefined;
      const decisions = decide(delayed, node);
      if (decisions === undefined) return unschedulable(BIND_CONFLICT_REASON);
      for (const { volume } of decisions) if (volume !== undefined) taken.set(volume.metadata.name ?? '', uid);
      state.write(decisionKey, decisions);
      return undefined;
    },
    unreserve(_state, { uid }) {
      for (const [name, owner] of taken) if (owner === uid) taken.delete(name);
    },
    async preBind(state, { uid }, nodeName, signal) {
      const decisions = state.read(decisionKey);
      if (decisions === undefined) return undefined;
      const versions = new Map(decisions.map(({ claim }) => [claim, claim.metadata.resourceVersion ?? '']));
      try {
        await Promise.all(decisions.map((decision) => apply(decision, nodeName, signal)));
        const endMs = clock.monotonicMs() + BIND_TIMEOUT_MS;
        while (!decisions.every((decision) => settled(decision, nodeName, versions.get(decision.claim) ?? ''))) {
          if (clock.monotonicMs() > endMs) throw new Error('binding volumes: context deadline exceeded');
          await clock.sleep(POLL_MS, signal);
        }
      } catch (error) {
        return errorStatus(error);
      }
      for (const [name, owner] of taken) if (owner === uid) taken.delete(name); // The volumes themselves say so now.
      return undefined;
    },
  };
}

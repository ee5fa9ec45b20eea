import { chmod, lstat, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Node, NodeSelectorTerm, PersistentVolume, Pod } from '@orrery/api/core/v1';
import { type LabelOperator, newRequirement, requirementHolds } from '@orrery/apimachinery';
import { checkHostPath } from './host-path.ts';
import { setVolumeOwnership } from './ownership.ts';

/** On volumes of the directory provisioner: their directory is made when a pod first mounts them. */
export const provisionedDirectoryAnnotation = 'storage.orrery.dev/directory';

const operators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
};

function termHolds({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every(({ key, operator, values = [] }) =>
      requirementHolds(newRequirement(key, operators[operator] ?? 'in', values), labels[key]),
    ) &&
    matchFields.every(
      ({ key, operator, values = [] }) => (operator === 'NotIn') !== values.includes(key === 'metadata.name' ? node.metadata.name : ''),
    )
  );
}

/** @throws {Error} where the volume cannot be reached from this node. Source: volume util CheckNodeAffinity. */
export function checkNodeAffinity({ metadata, spec }: PersistentVolume, node: Node | undefined): void {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  if (terms === undefined || node === undefined || terms.some((term) => termHolds(term, node))) return;
  throw new Error(`MountVolume.NodeAffinity check failed for volume "${metadata.name}" : no matching NodeSelectorTerms`);
}

/** Kinds of volumes that others than this node would have to serve. */
const sourceOf = ({ spec }: PersistentVolume): string =>
  Object.keys(spec ?? {}).find((key) =>
    ['csi', 'nfs', 'iscsi', 'fc', 'cephfs', 'rbd', 'glusterfs', 'flexVolume', 'azureFile', 'azureDisk'].includes(key),
  ) ?? 'unknown';

async function directoryOf({ metadata, spec }: PersistentVolume): Promise<string> {
  const { hostPath, local } = spec ?? {};
  if (hostPath !== undefined) {
    await checkHostPath(hostPath.path, hostPath.type);
    return hostPath.path;
  }
  if (local === undefined) return '';
  if (metadata.annotations?.[provisionedDirectoryAnnotation] !== undefined) {
    await mkdir(dirname(local.path), { recursive: true, mode: 0o755 });
    const made = await mkdir(local.path, { recursive: true });
    if (made !== undefined) await chmod(local.path, 0o777); // For whatever user the pod runs as.
  }
  if ((await lstat(local.path).catch(() => undefined)) === undefined) {
    throw new Error(`MountVolume.NewMounter initialization failed for volume "${metadata.name}" : path "${local.path}" does not exist`);
  }
  return local.path;
}

/**
 * Where a persistent volume lies on this node, ready for the pod.
 * @param group - The pod's fsGroup, where this process may set it. Volumes of type hostPath are never given away.
 * @throws {Error} for what cannot be used here; those that begin with `MountVolume` are whole event messages.
 */
export async function persistentPath(
  volume: PersistentVolume,
  {
    pod,
    node,
    group,
    readOnly,
  }: { readonly pod: Pod; readonly node: Node | undefined; readonly group: number | undefined; readonly readOnly: boolean },
): Promise<string> {
  checkNodeAffinity(volume, node);
  if (volume.spec?.volumeMode === 'Block') throw new Error('volumes of mode Block are not supported by this node');
  const path = await directoryOf(volume);
  if (path === '') {
    throw new Error(
      `no volume plugin matched: this node has persistent volumes of type hostPath and local, and "${volume.metadata.name}" is of type ${sourceOf(volume)}`,
    );
  }
  if (volume.spec?.local !== undefined && group !== undefined && !readOnly) {
    if (!(await stat(path)).isDirectory()) throw new Error(`local volume "${path}" is not a directory`);
    const onRootMismatch = pod.spec.securityContext?.fsGroupChangePolicy === 'OnRootMismatch';
    await setVolumeOwnership(path, { group, readOnly, onRootMismatch });
  }
  return path;
}

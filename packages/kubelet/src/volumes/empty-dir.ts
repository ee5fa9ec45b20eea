import { chmod, mkdir } from 'node:fs/promises';
import type { EmptyDirVolumeSource, Pod } from '@orrery/api/core/v1';
import { quantityValue } from '@orrery/apimachinery';
import { isLimited, podLimits } from '../pod/resources.ts';
import type { Mounts } from './mounts.ts';
import { setVolumeOwnership } from './ownership.ts';

const MODE = 0o777;

/** Bytes that a volume in memory may hold: the least of its own limit, the pod's memory limit and what pods may have. Source: KEP-1967. */
export function memorySizeBytes(pod: Pod, { sizeLimit }: EmptyDirVolumeSource, allocatableBytes: number): number | undefined {
  const own = sizeLimit === undefined ? 0 : quantityValue(sizeLimit);
  const ofPod = isLimited(pod, 'memory') ? quantityValue(podLimits(pod)['memory'] ?? '0') : 0;
  const bounds = [own, ofPod, allocatableBytes].filter((bytes) => bytes > 0);
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}

/**
 * Makes a pod's scratch directory; what it holds already stays.
 * @param group - The pod's fsGroup, where this process may set it.
 * @throws {Error} for a medium that this node does not have. Source: pkg/volume/emptydir.
 */
export async function setUpEmptyDir(
  path: string,
  source: EmptyDirVolumeSource,
  {
    pod,
    group,
    allocatableBytes,
    mounts,
  }: { readonly pod: Pod; readonly group: number | undefined; readonly allocatableBytes: number; readonly mounts: Mounts },
): Promise<void> {
  const medium = source.medium ?? '';
  if (medium !== '' && medium !== 'Memory') {
    throw new Error(
      medium.startsWith('HugePages')
        ? `storage medium "${medium}" is not supported: this node gives pods no huge pages`
        : `unknown storage medium "${medium}"`,
    );
  }
  const made = await mkdir(path, { recursive: true, mode: MODE });
  const inMemory = medium === 'Memory' && mounts.allowed;
  const fresh = inMemory ? !(await mounts.isMounted(path)) : made !== undefined;
  if (!fresh) return;
  if (inMemory) await mounts.tmpfs(path, { mode: MODE, sizeBytes: memorySizeBytes(pod, source, allocatableBytes) });
  await chmod(path, MODE);
  if (group !== undefined) await setVolumeOwnership(path, { group, readOnly: false });
}

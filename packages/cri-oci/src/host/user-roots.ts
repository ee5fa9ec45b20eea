import { rm } from 'node:fs/promises';
import { release } from 'node:os';
import { isInitialUserNamespace } from '../images/tar/unpack-layer.ts';
import type { Host } from './host.ts';

const CRUN_SINCE = [1, 8] as const; // Joins a user namespace, and maps the owners of what it mounts.
const LINUX_SINCE = [6, 3] as const; // Owners of a tmpfs can be mapped: upstream's kubelet asks for the same.

const userRoots = (instanceId: string): string => `/run/orrery-${instanceId}`;

/**
 * Where root file systems of pods with users of their own are mounted: those must be able to search every folder above, which the driver's
 * own folder does not let them. Only mount points are there, and mounted is in the containers' namespaces alone. Undefined where this machine
 * cannot give pods users of their own.
 */
export function findUserRoots({ runtime, capabilities }: Host, instanceId: string): string | undefined {
  const able = runtime.kind === 'crun' && capabilities.has('CAP_SYS_ADMIN') && isInitialUserNamespace();
  return able && isSince(runtime.version, CRUN_SINCE) && isSince(release(), LINUX_SINCE) ? userRoots(instanceId) : undefined;
}

function isSince(version: string, [major, minor]: readonly [number, number]): boolean {
  const [foundMajor = 0, foundMinor = 0] = version.split('.').map(Number);
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

/** Takes the mount points away when no container needs them. Idempotent. */
export const removeUserRoots = (instanceId: string): Promise<void> => rm(userRoots(instanceId), { recursive: true, force: true });

import { readFile } from 'node:fs/promises';
import { type LinuxContainerSecurityContext, RuntimeError } from '@orrery/cri';
import type { OciSeccomp } from './oci.ts';
import { defaultSeccomp } from './seccomp-default.ts';

/**
 * The system call filter that a container asks for; undefined for none. A privileged container has none whatever it asks for.
 * @throws {RuntimeError} `INVALID_ARGUMENT` when a profile of the node cannot be read.
 */
export async function containerSeccomp(
  { seccomp, privileged = false }: LinuxContainerSecurityContext,
  capabilities: readonly string[],
): Promise<OciSeccomp | undefined> {
  if (privileged || seccomp === undefined) return undefined;
  if (seccomp.profileType === 'Localhost') return readProfile(seccomp.localhostRef ?? '');
  return seccomp.profileType === 'Unconfined' ? undefined : defaultSeccomp(new Set(capabilities));
}

async function readProfile(path: string): Promise<OciSeccomp> {
  const wrong = (cause: unknown): never => {
    throw new RuntimeError('INVALID_ARGUMENT', `cannot load seccomp profile "${path}": ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  };
  const text = await readFile(path, 'utf8').catch(wrong);
  try {
    const { defaultAction, syscalls = [], ...rest } = JSON.parse(text) as Partial<OciSeccomp>;
    if (typeof defaultAction !== 'string' || !Array.isArray(syscalls)) return wrong('"defaultAction" and "syscalls" are required');
    return { ...rest, defaultAction, syscalls };
  } catch (cause) {
    return wrong(cause);
  }
}

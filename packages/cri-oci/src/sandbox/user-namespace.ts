import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sealedStdio } from '@orrery/base';
import { type PodSandboxConfig, RuntimeError } from '@orrery/cri';
import type { Helper } from '../host/helper.ts';
import { shellQuote } from '../host/process.ts';
import { type IdMappings, mappingsOf } from '../spec/id-mappings.ts';
import type { OciIdMapping } from '../spec/oci.ts';

/** Ids inside a pod's user namespace and what they are outside; undefined for a pod with the host's. */
export function podUsers({ linux }: PodSandboxConfig): IdMappings | undefined {
  const users = linux?.securityContext?.namespaceOptions?.usernsOptions;
  return users?.mode === 'POD' ? mappingsOf(users) : undefined;
}

/** New namespaces of users, network and ipc, the last two owned by the first. They stay while the process does, or what holds them. */
export interface HeldNamespaces {
  readonly pid: number;
  /** Ends the process. */
  release(): Promise<void>;
}

/**
 * Makes a pod's users, and the namespaces that they own: with these root of the pod may set up its own network, and nothing else.
 * @throws {RuntimeError} `INTERNAL`
 */
export async function holdUserNamespace({ uids, gids }: IdMappings): Promise<HeldNamespaces> {
  const child = spawn('unshare', ['--user', '--net', '--ipc', 'sh', '-c', 'echo ready; read _'], {
    stdio: sealedStdio(['pipe', 'pipe', 'pipe']),
  });
  const release = async (): Promise<void> => {
    child.stdin?.end();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  try {
    await isReady(child);
    const pid = child.pid ?? 0;
    await writeFile(`/proc/${pid}/uid_map`, mapText(uids));
    await writeFile(`/proc/${pid}/gid_map`, mapText(gids));
    return { pid, release };
  } catch (cause) {
    await release().catch(() => undefined); // It never started.
    throw new RuntimeError('INTERNAL', `cannot make the pod's user namespace: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

const mapText = (ids: readonly OciIdMapping[]): string => ids.map((id) => `${id.containerID} ${id.hostID} ${id.size}\n`).join('');

function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => (complaint += String(chunk)));
    child.stdout?.once('data', () => resolve());
    child.once('error', reject);
    child.once('close', () => reject(new Error(complaint.trim())));
  });
}

/** Where a sandbox keeps its users. */
export const userNamespaceFile = (directory: string): string => join(directory, 'user');

/** The namespaces stay when their first process has ended. */
export async function keepUserNamespace(helper: Helper, directory: string, pid: number): Promise<void> {
  for (const kind of ['user', 'ipc']) {
    const file = join(directory, kind);
    await writeFile(file, '');
    const { code, text } = await helper.run(`mount --bind /proc/${pid}/ns/${kind} ${shellQuote(file)}`);
    if (code !== 0) throw new RuntimeError('INTERNAL', `cannot keep the pod's ${kind} namespace: ${text}`);
  }
}

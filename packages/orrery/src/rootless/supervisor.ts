import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { sealedStdio } from '@orrery/base';
import { type CliContext, CliError } from '../cli/command.ts';
import type { ClusterPaths } from '../cli/paths.ts';
import { makePrivateFolder } from '../cluster/private-folder.ts';
import type { HostAnswer, HostRequest, SocketRequest } from './host-link.ts';
import { ROOTLESS, ROOTLESS_NOTES } from './inside.ts';
import { endNamespaces, enterArguments, findNamespaces, makeNamespaces } from './namespaces.ts';
import type { RootlessParts } from './parts.ts';

/** Tells of the namespaces that a cluster of an ordinary user has. */
export const namespacesFile = ({ data }: ClusterPaths): string => join(data, 'namespaces.json');

/** Whether it has any, or had when it was killed. */
export const hasNamespaces = (paths: ClusterPaths): boolean => existsSync(namespacesFile(paths));

/**
 * Runs this program once more inside of the cluster's namespaces and resolves with its exit code. This process stays outside: it gives
 * the other one sockets of the machine and passes signals on. When this one is killed the other ends too, and pods run on.
 */
export async function runSupervised(
  argv: readonly string[],
  paths: ClusterPaths,
  parts: RootlessParts,
  { clock, self, env }: Pick<CliContext, 'clock' | 'self' | 'env'>,
  signal: AbortSignal,
): Promise<number> {
  await makePrivateFolder(paths.data);
  const file = namespacesFile(paths);
  const found = await findNamespaces(file);
  const namespaces = found ?? (await makeNamespaces(file, parts, { clock, network: true }));
  const [program = '', ...first] = [...enterArguments(parts.nsenter, namespaces, true), ...self];
  const child = spawn(program, [...first, ...argv], {
    detached: true, // Signals of a terminal come by this process, once.
    stdio: sealedStdio(['ignore', 'inherit', 'inherit', 'ipc']),
    cwd: '/',
    env: { ...env, [ROOTLESS]: '1', [ROOTLESS_NOTES]: JSON.stringify(namespaces.notes) },
  });
  let inUse = found !== undefined;
  child.on('message', (request: HostRequest) => {
    if ('id' in request) void answer(child, request);
    else inUse = request.op === 'opened';
  });
  const pass = (): void => void child.kill(signalOf(signal));
  if (signal.aborted) pass();
  signal.addEventListener('abort', pass, { once: true });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } catch (cause) {
    throw new CliError(`cannot enter the namespaces of the cluster: ${(cause as Error).message}`, { cause });
  } finally {
    signal.removeEventListener('abort', pass);
    if (!inUse) await endNamespaces(file, namespaces, clock);
  }
}

const signalOf = ({ reason }: AbortSignal): NodeJS.Signals =>
  reason instanceof Error && /^SIG[A-Z0-9]+$/.test(reason.message) ? (reason.message as NodeJS.Signals) : 'SIGTERM';

/** The socket is the other process's alone: this one keeps no copy, so it is closed when the other ends. */
async function answer(child: ChildProcess, request: SocketRequest): Promise<void> {
  const { id, host, port } = request;
  try {
    if (request.op === 'listen') {
      const server = createServer({ pauseOnConnect: true });
      server.listen({ host, port, exclusive: true });
      await once(server, 'listening');
      child.send({ id } satisfies HostAnswer, server, () => server.close());
    } else {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      socket.bind({ address: host, port, exclusive: true });
      await once(socket, 'listening');
      child.send({ id } satisfies HostAnswer, socket, () => socket.close());
    }
  } catch (error) {
    const { message, code = '' } = error as NodeJS.ErrnoException;
    child.send({ id, error: { message, code } } satisfies HostAnswer);
  }
}

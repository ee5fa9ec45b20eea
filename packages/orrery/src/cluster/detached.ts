import { spawn } from 'node:child_process';
import { chmod, open, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sealedStdio } from '@orrery/base';
import { type CliContext, CliError } from '../cli/command.ts';
import { limitArguments } from '../cmd/node-limits.ts';
import type { UpOptions } from '../cmd/up.ts';
import { runningInstance, runningText } from './instance.ts';
import { makePrivateFolder } from './private-folder.ts';
import { newProgress, readyText } from './progress.ts';
import { mergeIntoUserKubeconfig } from './user-kubeconfig.ts';

/** Set in the environment of the process that runs on in the background. */
export const BACKGROUND = 'ORRERY_DETACHED';

const POLL_MS = 10;
const LOG_LINES_SHOWN = 20;

/**
 * Starts `orrery up` as a process of its own session, waits until the cluster is ready and lets it run.
 *
 * @throws {CliError} with the end of its log when it fails to start.
 */
export async function upDetached(options: UpOptions, context: CliContext, signal: AbortSignal): Promise<void> {
  const { paths, clock, out, err: stderr, self } = context;
  const cluster = paths.cluster(options.name);
  const running = await runningInstance(cluster.instance);
  if (running !== undefined) {
    if (running.phase !== undefined) throw new CliError(`cluster "${options.name}" ${runningText(running)}`);
    out.write(`cluster "${options.name}" ${runningText(running)}\n`);
    return;
  }
  await makePrivateFolder(cluster.data);
  const log = await open(cluster.log, 'w', 0o600);
  await chmod(cluster.log, 0o600);
  const [program = process.execPath, ...first] = self;
  const child = spawn(program, [...first, 'up', ...foregroundArguments(options)], {
    detached: true,
    stdio: sealedStdio(['ignore', log.fd, log.fd]),
    cwd: '/',
    env: { ...context.env, [BACKGROUND]: '1' },
  });
  let failure: string | undefined;
  child.once('error', (err) => (failure = err.message));
  child.once('exit', (code, end) => (failure = end === null ? `exit code ${code}` : `signal ${end}`));
  let notes: readonly string[] = [];
  try {
    for (;;) {
      const instance = await runningInstance(cluster.instance);
      if (instance !== undefined && instance.pid === child.pid && instance.phase === undefined) {
        notes = instance.notes;
        break;
      }
      if (failure !== undefined)
        throw new CliError(
          `cluster "${options.name}" did not start (${failure}); the end of ${cluster.log}:\n${await lastLines(cluster.log)}`,
        );
      await clock.sleep(POLL_MS, signal);
    }
  } catch (err) {
    if (failure === undefined) child.kill('SIGTERM');
    throw err;
  } finally {
    await log.close();
  }
  child.unref();
  if (options.mergeKubeconfig) await mergeIntoUserKubeconfig(paths.userKubeconfig, cluster.kubeconfig, clock);
  const progress = newProgress(stderr);
  for (const note of notes) progress.note(note);
  out.write(readyText(options, cluster, 'detached'));
}

// The detached process works in "/": paths are of the folder in which the user typed them.
export function foregroundArguments(options: UpOptions): string[] {
  const { name, host, port, nodeName, runtime, registries, imageMap } = options;
  return [
    `--name=${name}`,
    `--host=${host}`,
    ...(port === undefined ? [] : [`--port=${port}`]),
    ...(nodeName === undefined ? [] : [`--node-name=${nodeName}`]),
    ...(runtime === undefined ? [] : [`--runtime=${runtime}`]),
    ...limitArguments(options),
    ...(registries === undefined ? [] : [`--registries=${resolve(registries)}`]),
    ...(imageMap === undefined ? [] : [`--image-map=${resolve(imageMap)}`]),
  ];
}

async function lastLines(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
}

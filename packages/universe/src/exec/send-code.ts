import type { Transport } from '@orrery/client';
import { LaunchProblem } from '../options/settings.ts';
import { bootstrapFile, podPaths } from '../plan/paths.ts';
import type { Starter } from '../plan/payload.ts';
import { runInPod } from './run-in-pod.ts';

export interface SendCodeOptions {
  readonly transport: Transport;
  readonly namespace: string;
  readonly pod: string;
  /** The one that waits for the code. @default 'code' */
  readonly container?: string;
  /** @default 'node' */
  readonly starter?: Starter;
  /** The packed archive. */
  readonly code: Uint8Array;
  /** New code for a program that runs and is watched: resolves when it runs. @default none: what the pod was made for */
  readonly update?: { readonly hash: string; readonly entry: string };
  readonly signal?: AbortSignal | undefined;
  /** Bytes that were handed to the connection so far. */
  readonly onProgress?: (sentBytes: number) => void;
}

const PIECE_BYTES = 128 * 1024;

/**
 * Streams the packed code into the container that waits for it. It counts only when the pod has all of it and its hash is the one that the
 * pod was made for; may be repeated after a failure.
 * @throws {LaunchProblem} with what the pod said.
 */
export async function sendCode(options: SendCodeOptions): Promise<void> {
  const { transport, namespace, pod, container = 'code', starter = 'node', code, update, signal } = options;
  const said: Buffer[] = [];
  const exitCode = await runInPod({
    transport,
    namespace,
    pod,
    container,
    action: {
      exec: [
        starter === 'node' ? 'node' : '/bin/sh',
        `${podPaths.code}/${bootstrapFile[starter]}`,
        '--universe-store',
        String(code.length),
        ...(update === undefined ? [] : [update.hash, update.entry]),
      ],
    },
    input: pieces(options),
    onStderr: (data) => said.push(data),
    signal,
  });
  if (exitCode === 0) return;
  const text = Buffer.concat(said).toString('utf8').trim();
  throw new LaunchProblem(`pod ${pod} did not take the code (exit code ${exitCode})${text === '' ? '' : `: ${text}`}`);
}

function* pieces({ code, onProgress }: SendCodeOptions): Iterable<Uint8Array> {
  for (let at = 0; at < code.length; at += PIECE_BYTES) {
    const piece = code.subarray(at, at + PIECE_BYTES);
    yield piece;
    onProgress?.(at + piece.length);
  }
}

import { deferred } from '@orrery/base';
import type { ContainerStreams } from '@orrery/cri';

/** One attach call of the runtime; `joined` as {@link runRemoteCommand} has it. */
export type AttachCall = (streams: ContainerStreams, signal: AbortSignal, joined: () => void) => Promise<void>;

/**
 * Attaches to a container that has no terminal, its input apart from its output. In one call containerd drops what is
 * still on its way from stdout as soon as stderr has ended: the last lines of a container that was written to.
 */
export async function attachApart(attach: AttachCall, { stdin, ...outputs }: ContainerStreams, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const ends = AbortSignal.any([signal, ended.signal]);
  const listening = deferred<void>();
  const output = attach(outputs, ends, () => listening.resolve());
  try {
    await Promise.race([listening.promise, output]);
    const input = attach({ stdin }, ends, () => undefined);
    // An input that ended leaves the output as it is; one that broke ends both.
    await Promise.race([output, input.then(() => output)]);
  } finally {
    ended.abort();
  }
}

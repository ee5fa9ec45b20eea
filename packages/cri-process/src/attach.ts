import type { ContainerStreams } from '@orrery/cri';
import type { Container } from './container.ts';
import { followSize, setTerminalSize } from './exec.ts';

/** Joins a client to a running container's input and output. Resolves when the container ends, or the client leaves. */
export async function attachToContainer(container: Container, tty: boolean, streams: ContainerStreams, signal: AbortSignal): Promise<void> {
  const { stdin, stdout, stderr, resize } = streams;
  const stopListening = container.listen((stream, chunk) => {
    const target = stream === 'stdout' ? stdout : stderr;
    if (target?.writable === true) target.write(chunk);
  });
  const left = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    for (const stream of [stdout, stderr]) stream?.once('close', resolve);
  });
  const input = stdin === undefined ? undefined : await container.stdin();
  try {
    if (stdin !== undefined && input !== undefined) {
      // With stdinOnce the end of the client's input is the end of the container's; else the next client goes on.
      stdin.pipe(input, { end: container.record.config.stdinOnce === true && !tty });
    }
    if (tty && resize !== undefined) void followSize(resize, (columns, rows) => setTerminalSize(container.directory, columns, rows));
    await Promise.race([container.exited, left]);
  } finally {
    stopListening();
    if (stdin !== undefined && input !== undefined) stdin.unpipe(input);
  }
}

import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { CliError, clusterNameOf, defineCommand, exitCodes, nameOption, noArguments, stringFlag, UsageError } from '../cli/command.ts';

interface LogsOptions {
  readonly name: string;
  readonly follow: boolean;
  /** Lines from the end; undefined: all. */
  readonly tail: number | undefined;
}

const FOLLOW_POLL_MS = 200;
const CHUNK_BYTES = 64 * 1024;

export const logsCommand = defineCommand<LogsOptions>({
  name: 'logs',
  short: 'Print the log of a cluster that runs detached (pods: kubectl logs)',
  options: {
    name: nameOption,
    follow: { type: 'boolean', short: 'f', description: 'wait for more' },
    tail: { type: 'string', placeholder: '<lines>', description: 'only the last lines' },
  },
  examples: [
    ['orrery logs --tail 50', 'The last 50 lines'],
    ['orrery logs -f', 'As it is written, until Ctrl+C'],
  ],
  complete(parsed) {
    noArguments(parsed);
    const tail = stringFlag(parsed.flags['tail']);
    if (tail !== undefined && !/^\d+$/.test(tail))
      throw new UsageError(`--tail ${JSON.stringify(tail)}: must be an integer greater than or equal to 0`);
    return { name: clusterNameOf(parsed), follow: parsed.flags['follow'] === true, tail: tail === undefined ? undefined : Number(tail) };
  },
  async run({ name, follow, tail }, { paths, out, clock }, signal) {
    const { log } = paths.cluster(name);
    const size = await stat(log).then(
      (found) => found.size,
      () => {
        throw new CliError(`cluster "${name}" has no log at ${log}: it never ran with "orrery up --detach"`);
      },
    );
    let position = tail === undefined ? 0 : await startOfTail(log, size, tail);
    position = await copy(log, position, out);
    while (follow && !signal.aborted) {
      await clock.sleep(FOLLOW_POLL_MS, signal).catch(() => undefined);
      const now = (await stat(log)).size;
      if (now < position) position = 0; // A new start of the cluster began a new file.
      if (now > position) position = await copy(log, position, out);
    }
    return exitCodes.ok;
  },
});

async function copy(path: string, from: number, out: { write(text: string): void }): Promise<number> {
  let position = from;
  for await (const chunk of createReadStream(path, { start: from }) as AsyncIterable<Buffer>) {
    out.write(chunk.toString());
    position += chunk.length;
  }
  return position;
}

/** Byte offset of the last `lines` lines, found by reading backwards in chunks. */
async function startOfTail(path: string, size: number, lines: number): Promise<number> {
  if (lines === 0) return size;
  const file = await open(path);
  try {
    let wanted = lines + 1; // The file's last newline, and one more before each line wanted.
    for (let end = size; end > 0; end -= CHUNK_BYTES) {
      const start = Math.max(0, end - CHUNK_BYTES);
      const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
      for (let i = buffer.length - 1; i >= 0; i -= 1) {
        if (buffer[i] !== 0x0a) continue;
        wanted -= 1;
        if (wanted === 0) return start + i + 1;
      }
    }
    return 0;
  } finally {
    await file.close();
  }
}

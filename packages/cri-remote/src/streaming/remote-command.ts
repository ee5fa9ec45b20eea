import { abortable } from '@orrery/base';
import { type ContainerStreams, RuntimeError } from '@orrery/cri';
import { pumpInto, sinkTo } from './pump.ts';
import { newSpdyConnection, type SpdyConnection } from './spdy-connection.ts';
import { upgradeToSpdy } from './upgrade.ts';

const PROTOCOL = 'v4.channel.k8s.io';

/** Which streams there are: the runtime waits for exactly those that its URL was asked for. */
export interface CommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** There is always an output, read and dropped when nobody wants it: its end tells that the command or container ended. */
export function commandStreams({ stdin, stdout, stderr }: ContainerStreams, tty: boolean): CommandStreams {
  const wantsStderr = stderr !== undefined && !tty;
  return { stdin: stdin !== undefined, stdout: stdout !== undefined || !wantsStderr, stderr: wantsStderr, tty };
}

/**
 * Joins `streams` to what runs behind a runtime's exec or attach URL.
 * @param joined - Called once everything is joined: what is written from then on is seen.
 * @returns the exit code; 0 for an attach that ended.
 * @throws {RuntimeError} what the runtime said, or `UNAVAILABLE` when its connection broke.
 */
export async function runRemoteCommand(
  url: URL,
  wanted: CommandStreams,
  streams: ContainerStreams,
  signal: AbortSignal,
  joined: () => void = () => undefined,
): Promise<number> {
  const connection = newSpdyConnection(await upgradeToSpdy(url, PROTOCOL, signal));
  const finished = new AbortController();
  try {
    return await abortable(join(connection, wanted, streams, finished.signal, joined), signal);
  } finally {
    finished.abort();
    connection.close();
    await connection.closed;
  }
}

async function join(
  connection: SpdyConnection,
  wanted: CommandStreams,
  streams: ContainerStreams,
  finished: AbortSignal,
  joined: () => void,
): Promise<number> {
  let result = '';
  const open = (streamtype: string, sink: (data: Buffer) => Promise<void> | void) => connection.open({ streamtype }, sink);
  const drop = (): void => undefined;
  const [outcome, stdin, , , resize] = await Promise.all([
    open('error', (data) => {
      result += data.toString();
    }),
    wanted.stdin ? open('stdin', drop) : undefined,
    wanted.stdout ? open('stdout', sinkTo(streams.stdout)) : undefined,
    wanted.stderr ? open('stderr', sinkTo(streams.stderr)) : undefined,
    wanted.tty ? open('resize', drop) : undefined,
  ]);
  outcome.end();
  joined();
  if (stdin !== undefined && streams.stdin !== undefined) {
    const stop = pumpInto(stdin, streams.stdin, connection);
    finished.addEventListener('abort', stop, { once: true });
  }
  if (resize !== undefined && streams.resize !== undefined) {
    const iterator = streams.resize[Symbol.asyncIterator]();
    void sendSizes(iterator, (size) => resize.write(Buffer.from(JSON.stringify(size))), finished);
  }
  await outcome.ended;
  return exitCodeOf(result);
}

async function sendSizes(
  sizes: AsyncIterator<{ readonly width: number; readonly height: number }>,
  send: (size: { readonly Width: number; readonly Height: number }) => void,
  finished: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      const next = await abortable(sizes.next(), finished);
      if (next.done === true) return;
      send({ Width: next.value.width, Height: next.value.height });
    }
  } catch {
    // The command is over, or the caller's source of sizes broke: the terminal keeps its size.
  }
}

interface CommandStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/** Nothing at all means success, as in every client since version 4 of the protocol. */
function exitCodeOf(text: string): number {
  if (text === '') return 0;
  const status = parseStatus(text);
  if (status.status === 'Success') return 0;
  const { reason, message = text, details } = status;
  const code = details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  if (reason === 'NonZeroExitCode' && code !== undefined) return Number(code);
  throw new RuntimeError('INTERNAL', message);
}

function parseStatus(text: string): CommandStatus {
  try {
    return JSON.parse(text) as CommandStatus;
  } catch {
    return { message: text };
  }
}

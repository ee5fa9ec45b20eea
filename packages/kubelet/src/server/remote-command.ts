import { PassThrough, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Status } from '@orrery/apimachinery';
import { newQueue } from '@orrery/base';
import type { ContainerStreams } from '@orrery/cri';
import type { WebSocket } from 'ws';
import { messageOf } from '../runtime/errors.ts';
import type { ChannelCodec } from './port-forward.ts';

export interface CommandOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Subprotocols of exec and attach, the best first. Source: remotecommand constants. */
export const commandProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
];

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
const CLOSE = 255; // v5: the next byte is a channel whose other side has ended.
const SIZES_MAX = 100;

export const rawCodec: ChannelCodec = {
  encode: (channel, data) => Buffer.concat([Buffer.from([channel]), data]),
  decode: (message) => (message.length === 0 ? undefined : { channel: message[0] ?? 0, data: message.subarray(1) }),
};
export const base64Codec: ChannelCodec = {
  encode: (channel, data) => `${channel}${data.toString('base64')}`,
  decode: (message) =>
    message.length === 0 ? undefined : { channel: (message[0] ?? 0) - 0x30, data: Buffer.from(message.toString('latin1', 1), 'base64') },
};
export const codecOf = (protocol: string): ChannelCodec => (protocol.includes('base64') ? base64Codec : rawCodec);

function channelWriter(socket: WebSocket, codec: ChannelCodec, channel: number): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      if (socket.readyState !== socket.OPEN)
        done(); // The client is gone: the command's output is nobody's.
      else socket.send(codec.encode(channel, chunk), () => done());
    },
  });
}

/** Waits until everything that was written to `output` is on its way. */
async function sent(output: Writable | undefined): Promise<void> {
  if (output === undefined || output.destroyed) return;
  output.end();
  await finished(output);
}

const success: Partial<Status> = { metadata: {}, status: 'Success' };

function exitStatus(exitCode: number): Partial<Status> {
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

function failureStatus(text: string): Partial<Status> {
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${text}`,
    reason: 'InternalError',
    details: { causes: [{ message: text }] },
    code: 500,
  };
}

/** The result on the error channel: a Status since v4, plain text before. */
function resultMessage(protocol: string, status: Partial<Status>): Buffer | undefined {
  if (protocol.startsWith('v4') || protocol.startsWith('v5')) return Buffer.from(JSON.stringify(status));
  return status.status === 'Success' ? undefined : Buffer.from(status.message ?? '');
}

/** Messages from the client, to where they belong. */
function listen(
  socket: WebSocket,
  codec: ChannelCodec,
  protocol: string,
  stdin: PassThrough | undefined,
  onSize: (text: string) => void,
): void {
  stdin?.on('drain', () => socket.resume());
  stdin?.on('error', () => stdin.destroy()); // The command does not read any more.
  socket.on('message', (message: Buffer) => {
    const decoded = codec.decode(message);
    if (decoded === undefined) return;
    const { channel, data } = decoded;
    if (channel === channels.stdin && stdin !== undefined && !stdin.writableEnded && !stdin.destroyed) {
      if (data.length > 0 && !stdin.write(data)) socket.pause();
    } else if (channel === channels.resize) onSize(data.toString());
    else if (channel === CLOSE && protocol.startsWith('v5') && data[0] === channels.stdin) stdin?.end();
  });
}

function parseSize(text: string): { readonly width: number; readonly height: number } | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as { readonly Width?: unknown; readonly Height?: unknown };
    return Number.isInteger(Width) && Number.isInteger(Height) ? { width: Number(Width), height: Number(Height) } : undefined;
  } catch {
    return undefined; // Sent by a client that speaks something else.
  }
}

/**
 * Joins a WebSocket to a command or a container.
 * @param run - Answers the exit code; `undefined` for an attach. Its signal aborts when the client goes.
 * @param what - Begins the message of a failure, as `error executing command in container`.
 */
export async function serveCommand(
  socket: WebSocket,
  options: CommandOptions,
  run: (streams: ContainerStreams, signal: AbortSignal) => Promise<number | undefined>,
  what: string,
): Promise<void> {
  const { protocol } = socket;
  const codec = codecOf(protocol);
  const stop = new AbortController();
  const stdin = options.stdin ? new PassThrough() : undefined;
  const sizes = newQueue<{ readonly width: number; readonly height: number }>({ capacity: SIZES_MAX });
  listen(socket, codec, protocol, stdin, (text) => {
    const size = parseSize(text);
    if (size !== undefined) sizes.push(size); // When full, the terminal lags behind: the next size that fits corrects it.
  });
  socket.once('close', () => {
    stop.abort();
    stdin?.end();
    sizes.close();
  });
  const first = options.stdout ? channels.stdout : options.stderr && !options.tty ? channels.stderr : channels.error;
  socket.send(codec.encode(first, Buffer.alloc(0))); // Tells the client that the connection stands.
  const streams: ContainerStreams = {
    stdin,
    stdout: options.stdout ? channelWriter(socket, codec, channels.stdout) : undefined,
    stderr: options.stderr && !options.tty ? channelWriter(socket, codec, channels.stderr) : undefined,
    ...(options.tty ? { resize: sizes } : {}),
  };
  let status: Partial<Status>;
  try {
    const exitCode = await run(streams, stop.signal);
    status = exitCode === undefined || exitCode === 0 ? success : exitStatus(exitCode);
  } catch (err) {
    status = failureStatus(`${what}: ${messageOf(err)}`);
  }
  await Promise.all([streams.stdout, streams.stderr].map(sent));
  const result = resultMessage(protocol, status);
  if (socket.readyState !== socket.OPEN) return;
  if (result !== undefined) socket.send(codec.encode(channels.error, result));
  socket.close(1000);
}

import { isJsonObject, type JsonObject } from '@orrery/apimachinery';
import type { Transport } from '@orrery/client';
import { LaunchProblem } from '../options/settings.ts';
import { type Channels, openChannels } from './channels.ts';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface PodCommand {
  readonly transport: Transport;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** `exec` starts a command; `attach` joins the container's own process. */
  readonly action?: { readonly exec: readonly string[] } | 'attach';
  /** Sent to standard input, piece by piece, as the pod takes it; then it is closed, where the server can say so. */
  readonly input?: AsyncIterable<Uint8Array> | Iterable<Uint8Array> | undefined;
  readonly tty?: boolean;
  /** Sizes of the terminal: the first at once, then each change. */
  readonly sizes?: AsyncIterable<TerminalSize> | undefined;
  readonly onStdout?: (data: Buffer) => void;
  readonly onStderr?: (data: Buffer) => void;
  readonly signal?: AbortSignal | undefined;
}

const channelOf = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;
/** The second alone is spoken before Kubernetes 1.30; it cannot close standard input. */
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

/**
 * Runs a command in a container, or joins what runs there. Resolves with the exit code.
 * @throws the server's StatusError, {@link LaunchProblem} when the stream broke or the command could not start, or the signal's reason.
 */
export async function runInPod(command: PodCommand): Promise<number> {
  const { transport, input, sizes, onStdout, onStderr, signal } = command;
  let status: JsonObject | undefined;
  const channels = await openChannels({
    transport,
    path: pathOf(command),
    protocols,
    signal,
    onMessage(channel, data) {
      if (channel === channelOf.stdout) onStdout?.(data);
      else if (channel === channelOf.stderr) onStderr?.(data);
      else if (channel === channelOf.status) status = parsed(data);
    },
  });
  const ended = new AbortController();
  const sending = [
    input === undefined ? undefined : sendInput(channels, input, ended.signal),
    sizes === undefined ? undefined : sendSizes(channels, sizes, ended.signal),
  ];
  // A failed source ends the command: half an input must not look like a whole one.
  for (const each of sending) each?.catch(() => channels.close());
  const broken = await channels.closed;
  ended.abort();
  if (signal?.aborted === true) throw signal.reason;
  if (status !== undefined) return exitCodeOf(status);
  throw new LaunchProblem(`the connection to pod ${command.pod} broke: ${broken?.message ?? 'it ended without a result'}`, {
    cause: broken,
  });
}

function pathOf({ namespace, pod, container, action = 'attach', input, tty = false }: PodCommand): string {
  const query = new URLSearchParams({
    container,
    stdout: 'true',
    stderr: String(!tty),
    stdin: String(input !== undefined),
    tty: String(tty),
  });
  if (action !== 'attach') for (const word of action.exec) query.append('command', word);
  return `/api/v1/namespaces/${namespace}/pods/${pod}/${action === 'attach' ? 'attach' : 'exec'}?${query}`;
}

async function sendInput(channels: Channels, input: NonNullable<PodCommand['input']>, ended: AbortSignal): Promise<void> {
  for await (const piece of input) {
    if (ended.aborted) return;
    if (piece.length > 0 && !channels.send(channelOf.stdin, piece)) await channels.drained();
  }
  if (channels.protocol === protocols[0]) channels.send(channelOf.close, Buffer.from([channelOf.stdin]));
}

async function sendSizes(channels: Channels, sizes: AsyncIterable<TerminalSize>, ended: AbortSignal): Promise<void> {
  for await (const { columns, rows } of sizes) {
    if (ended.aborted) return;
    channels.send(channelOf.resize, Buffer.from(JSON.stringify({ Width: columns, Height: rows })));
  }
}

function parsed(data: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(data.toString('utf8'));
    if (isJsonObject(value)) return value;
  } catch {
    // Told as it came, below.
  }
  return { status: 'Failure', message: data.toString('utf8') };
}

/** Source: remotecommand v4 protocol: a Status; `NonZeroExitCode` with the code among its causes. */
function exitCodeOf(status: JsonObject): number {
  if (status['status'] === 'Success') return 0;
  const details = isJsonObject(status['details']) ? status['details'] : {};
  const causes = Array.isArray(details['causes']) ? details['causes'] : [];
  const cause: unknown = causes.find((each: unknown) => isJsonObject(each) && each['reason'] === 'ExitCode');
  if (status['reason'] === 'NonZeroExitCode' && isJsonObject(cause)) return Number(cause['message']);
  throw new LaunchProblem(String(status['message'] ?? 'the command failed'));
}

import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex, Writable } from 'node:stream';
import type { Pod } from '@orrery/api/core/v1';
import type { ContainerStreams } from '@orrery/cri';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { readLogs } from '../logs/reader.ts';
import { findContainer } from '../pod/container-spec.ts';
import { podUidLabel } from '../pod/labels.ts';
import { isRuntimeNotFound, messageOf } from '../runtime/errors.ts';
import { type ContainerInstance, findInstance } from '../runtime/pod-state.ts';
import { newStateReader } from '../runtime/state-reader.ts';
import { logProtocols, openContainerLogs, sendLogs } from './container-logs.ts';
import { HttpError } from './http-error.ts';
import type { ServerDeps } from './kubelet-server.ts';
import { forwardOverChannels, forwardOverSpdy } from './port-forward.ts';
import { type CommandOptions, codecOf, commandProtocols, serveCommand } from './remote-command.ts';
import { parseUrl } from './request-url.ts';

/** kubectl's port-forward: SPDY inside a WebSocket. */
const TUNNEL_PROTOCOL = 'SPDY/3.1+portforward.k8s.io';
const FORWARD_PROTOCOL = 'portforward.k8s.io';
const forwardProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'];

export interface StreamingHandler {
  /** Answers an HTTP upgrade: exec, attach, port-forward, logs; refuses it as `admitted` rejects. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, admitted: Promise<void>): void;
}

const isSet = (query: URLSearchParams, ...names: readonly string[]): boolean =>
  names.some((name) => {
    const value = query.get(name);
    return value === '1' || value === 'true';
  });

const commandOptions = (query: URLSearchParams): CommandOptions => ({
  stdin: isSet(query, 'input', 'stdin'),
  stdout: isSet(query, 'output', 'stdout'),
  stderr: isSet(query, 'error', 'stderr'),
  tty: isSet(query, 'tty'),
});

const offered = (request: IncomingMessage): readonly string[] =>
  (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');

export function newStreamingHandler(deps: ServerDeps): StreamingHandler {
  const { runtime, clock, log, workers } = deps;
  const attached = new Set<string>(); // Containers with stdinOnce that somebody has attached to.
  const reader = newStateReader(runtime);
  const server = (protocols: readonly string[]): WebSocketServer =>
    new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: 64 * 1024 * 1024,
      handleProtocols: (asked) => protocols.find((protocol) => asked.has(protocol)) ?? false,
    });
  const commandServer = server(commandProtocols);
  const forwardServer = server(forwardProtocols);
  const logServer = server(logProtocols);
  // The tunnel's name is no token of RFC 6455 (it has a slash), which the library refuses: it is negotiated beside it.
  const tunnelServer = server([]);
  tunnelServer.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${TUNNEL_PROTOCOL}`));

  function podOf(namespace: string, name: string, uid: string): Pod {
    const pod = workers.find(namespace, name);
    if (pod === undefined || (uid !== '' && pod.metadata.uid !== uid)) throw new HttpError(404, 'pod does not exist');
    return pod;
  }

  async function runningContainer(pod: Pod, container: string): Promise<string> {
    const state = await reader.read(pod.metadata.uid);
    const instance = findInstance(state, container);
    if (instance?.phase !== 'running') throw new HttpError(500, `container not found ("${container}")`);
    return instance.id;
  }

  async function sandboxOf(pod: Pod): Promise<string> {
    const { items = [] } = await runtime.listPodSandbox({ filter: { labelSelector: { [podUidLabel]: pod.metadata.uid } } });
    const ready = items.find(({ state }) => state === 'SANDBOX_READY')?.id;
    if (ready === undefined) throw new HttpError(500, `pod not found ("${pod.metadata.name}_${pod.metadata.namespace ?? ''}")`);
    return ready;
  }

  /** The rest of the path: namespace, pod, perhaps its uid, container. */
  function target(rest: readonly string[]) {
    const [namespace = '', name = '', third = '', fourth] = rest;
    return { pod: podOf(namespace, name, fourth === undefined ? '' : third), container: fourth ?? third };
  }

  function accept(
    sockets: WebSocketServer,
    protocols: readonly string[],
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<WebSocket> {
    const asked = offered(request);
    if (asked.length > 0 && !asked.some((protocol) => protocols.includes(protocol))) {
      throw new HttpError(
        400,
        `unable to upgrade: requested protocol(s) are not supported: [${asked.join(' ')}]; supports [${protocols.join(' ')}]`,
      );
    }
    return new Promise((resolve) => {
      sockets.handleUpgrade(request, socket, head, (accepted) => {
        accepted.on('error', (err) => log.debug('a stream broke', { error: messageOf(err) }));
        resolve(accepted);
      });
    });
  }

  async function exec(
    rest: readonly string[],
    query: URLSearchParams,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    const { pod, container } = target(rest);
    const options = commandOptions(query);
    const command = query.getAll('command');
    if (!options.stdin && !options.stdout && !options.stderr)
      throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr');
    const containerId = await runningContainer(pod, container);
    const accepted = await accept(commandServer, commandProtocols, request, socket, head);
    const run = (streams: ContainerStreams, signal: AbortSignal) =>
      runtime.exec({ containerId, command, tty: options.tty }, streams, signal);
    await serveCommand(accepted, options, run, 'error executing command in container');
  }

  async function attach(
    rest: readonly string[],
    query: URLSearchParams,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    const { pod, container } = target(rest);
    const spec = findContainer(pod, container)?.container;
    // Whether there is a terminal was settled when the container was made.
    const options = { ...commandOptions(query), tty: spec?.tty === true };
    const instance = findInstance(await reader.read(pod.metadata.uid), container);
    const fromStart = spec?.stdinOnce === true && !options.tty && instance !== undefined && !attached.has(instance.id);
    if (instance === undefined || (instance.phase !== 'running' && !fromStart))
      throw new HttpError(500, `container not found ("${container}")`);
    if (spec?.stdinOnce === true) attached.add(instance.id);
    const accepted = await accept(commandServer, commandProtocols, request, socket, head);
    const run = async (streams: ContainerStreams, signal: AbortSignal): Promise<undefined> => {
      if (fromStart) await attachFromStart(instance, streams, signal);
      else await runtime.attach({ containerId: instance.id, tty: options.tty }, streams, signal);
      return undefined;
    };
    await serveCommand(accepted, options, run, 'error attaching to container');
  }

  /**
   * A container made to be attached to once (`kubectl run -i`) may have said everything before somebody could: the first who attaches
   * gets its output from the log, from the beginning, and nothing is lost.
   */
  async function attachFromStart(instance: ContainerInstance, streams: ContainerStreams, signal: AbortSignal): Promise<void> {
    const containerId = instance.id;
    const running = async (): Promise<boolean> => {
      const now = await runtime.containerStatus({ containerId }).catch(() => undefined);
      return now?.status?.state === 'CONTAINER_RUNNING';
    };
    const copy = async (stream: 'stdout' | 'stderr', sink: Writable | undefined): Promise<void> => {
      if (sink === undefined) return;
      const write = (chunk: Buffer): Promise<void> => new Promise((resolve) => sink.write(chunk, () => resolve()));
      await readLogs({ path: instance.logPath, running, clock }, { follow: true, timestamps: false, stream }, write, signal);
    };
    const input =
      streams.stdin === undefined || instance.phase !== 'running'
        ? Promise.resolve()
        : runtime.attach({ containerId, tty: false }, { stdin: streams.stdin }, signal).catch((err: unknown) => {
            if (!isRuntimeNotFound(err)) throw err; // It has ended in between: its output is all there is.
          });
    await Promise.all([input, copy('stdout', streams.stdout), copy('stderr', streams.stderr)]);
  }

  async function portForward(rest: readonly string[], query: URLSearchParams, request: IncomingMessage, socket: Duplex, head: Buffer) {
    const [namespace = '', name = '', uid = ''] = rest;
    const pod = podOf(namespace, name, uid);
    const podSandboxId = await sandboxOf(pod);
    const forwarding = { runtime, podSandboxId, podName: `${name}_${namespace}`, uid: pod.metadata.uid, log };
    if ((request.headers.upgrade ?? '').toLowerCase() === 'spdy/3.1') {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${FORWARD_PROTOCOL}\r\n\r\n`,
      );
      if (head.length > 0) socket.unshift(head);
      return await forwardOverSpdy(socket, forwarding);
    }
    if (offered(request).includes(TUNNEL_PROTOCOL)) {
      delete request.headers['sec-websocket-protocol'];
      return await forwardOverSpdy(createWebSocketStream(await accept(tunnelServer, [], request, socket, head)), forwarding);
    }
    const accepted = await accept(forwardServer, forwardProtocols, request, socket, head);
    const ports = query
      .getAll('ports')
      .concat(query.getAll('port'))
      .flatMap((text) => text.split(','))
      .map(Number);
    if (ports.length === 0 || ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65535)) {
      accepted.close(1008, 'query parameter "port" is required');
      return;
    }
    await forwardOverChannels(accepted, codecOf(accepted.protocol), ports, forwarding);
  }

  async function logs(rest: readonly string[], query: URLSearchParams, request: IncomingMessage, socket: Duplex, head: Buffer) {
    const source = await openContainerLogs(deps, rest, query);
    await sendLogs(await accept(logServer, logProtocols, request, socket, head), source);
  }

  async function route(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { parts, query } = parseUrl(request);
    const [first = '', ...rest] = parts;
    if (first === 'exec' && rest.length >= 3) await exec(rest, query, request, socket, head);
    else if (first === 'attach' && rest.length >= 3) await attach(rest, query, request, socket, head);
    else if (first === 'containerLogs' && rest.length === 3) await logs(rest, query, request, socket, head);
    else if (first === 'portForward' && rest.length >= 2) await portForward(rest, query, request, socket, head);
    else throw new HttpError(404, '404 page not found');
  }

  function refuse(socket: Duplex, err: unknown): void {
    if (socket.destroyed || !socket.writable) return;
    const status = err instanceof HttpError ? err.status : 500;
    const text = `${messageOf(err).trimEnd()}\n`;
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
    );
  }

  return {
    upgrade(request, socket, head, admitted) {
      socket.on('error', () => socket.destroy());
      const routed = admitted.then(() => route(request, socket, head));
      routed.catch((err: unknown) => {
        if (!(err instanceof HttpError)) log.debug('a stream ended with an error', { url: request.url, error: messageOf(err) });
        if (err instanceof HttpError) refuse(socket, err);
        else socket.destroy();
      });
    },
  };
}

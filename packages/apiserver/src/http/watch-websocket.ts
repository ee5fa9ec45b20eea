import type { IncomingMessage, ServerResponse } from 'node:http';
import { newBadRequest } from '@orrery/apimachinery';
import type { WebSocket } from 'ws';
import { protocolsWithoutToken } from '../authentication/bearer-token.ts';
import type { ServerContext } from './context.ts';
import { type Exchange, headerOf } from './exchange.ts';
import { ClientGone } from './status-answer.ts';
import { type WatchSink, withinStall } from './watch-answer.ts';
import type { WatchEncoder } from './watch-frame.ts';

/** Largest message a watching client may send: it has nothing to say. */
const messageBytesMax = 4096;

/** Answers an upgrade request with a WebSocket whose messages are the events. Loads the WebSocket library on first use. */
export async function openWebSocketSink(context: ServerContext, exchange: Exchange, encoder: WatchEncoder): Promise<WatchSink> {
  const { request, response, upgrade } = exchange;
  if (upgrade === undefined || headerOf(request, 'upgrade')?.toLowerCase() !== 'websocket') {
    throw newBadRequest('a watch can be upgraded to websocket alone');
  }
  checkHandshake(exchange);
  const { WebSocketServer } = await import('ws');
  exchange.signal.throwIfAborted();
  (response as unknown as ServerResponse).detachSocket(upgrade.socket as never);
  const offered = protocolsWithoutToken(request.headers);
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    handleProtocols: () => offered[0] ?? false,
  });
  const socket = await new Promise<WebSocket>((resolve, reject) => {
    server.once('wsClientError', () => {
      upgrade.socket.destroy(); // What the checks above let pass: no answer in HTTP fits any more.
      reject(new ClientGone());
    });
    server.handleUpgrade(request as unknown as IncomingMessage, upgrade.socket, upgrade.head, resolve);
  });
  return newWebSocketSink(context, socket, exchange, encoder.text);
}

/** The parts of an opening handshake (RFC 6455, section 4.2.1) that the WebSocket library would refuse in plain text, and wait for. */
function checkHandshake({ request }: Exchange): void {
  if (request.method !== 'GET') throw newBadRequest('a WebSocket must be asked for by GET');
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headerOf(request, 'sec-websocket-key') ?? ''))
    throw newBadRequest('the header Sec-WebSocket-Key is missing or invalid');
  if (!['8', '13'].includes(headerOf(request, 'sec-websocket-version') ?? ''))
    throw newBadRequest('the header Sec-WebSocket-Version must be 13');
}

function newWebSocketSink({ clock, limits }: ServerContext, socket: WebSocket, { signal }: Exchange, text: boolean): WatchSink {
  const gone = new AbortController();
  socket.on('error', () => gone.abort(new ClientGone()));
  socket.on('close', () => gone.abort(new ClientGone()));
  signal.addEventListener('abort', () => socket.close(1001), { once: true });
  const send = (frame: Buffer): Promise<void> =>
    new Promise((resolve, reject) => socket.send(frame, { binary: !text }, (error) => (error ? reject(error) : resolve())));
  return {
    started: true,
    gone: gone.signal,
    start: () => undefined,
    async write(frames) {
      gone.signal.throwIfAborted();
      const sent = frames.map(send);
      await withinStall(
        Promise.all(sent).then(() => undefined),
        clock,
        limits.stalledWriteMs,
      );
    },
    end: () => socket.close(1000),
    cut: () => socket.terminate(),
  };
}

import type { Http2SecureServer, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** The open connections of a server, so that it can end them. */
export interface Connections {
  /** Lets what has been written reach the client, and takes no more. */
  finish(): void;
  /** Cuts everything now. */
  cut(): void;
}

export function trackConnections(server: Http2SecureServer, keepAliveMs: number): Connections {
  /** Below TLS: those in a handshake too. */
  const sockets = new Set<Socket>();
  const secure = new Set<TLSSocket>();
  const sessions = new Set<ServerHttp2Session>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') return;
    secure.add(socket);
    socket.once('close', () => secure.delete(socket));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    closeWhenIdle(session, keepAliveMs);
  });
  return {
    finish() {
      for (const session of sessions) session.close();
      for (const socket of secure) socket.destroySoon();
    },
    cut() {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function closeWhenIdle(session: ServerHttp2Session, keepAliveMs: number): void {
  /** Open streams of this connection. */
  let open = 0;
  session.on('stream', (stream) => {
    open++;
    stream.once('close', () => open--);
  });
  session.setTimeout(keepAliveMs, () => {
    if (open === 0) session.close();
  });
}

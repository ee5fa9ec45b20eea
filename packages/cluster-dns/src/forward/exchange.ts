import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Upstream } from './resolv-conf.ts';

/** Asks `upstream` once and resolves with the first message that `accept` takes. Rejects when the network says no, or by `signal`. */
export type Exchange = (upstream: Upstream, query: Buffer, accept: (message: Buffer) => boolean, signal: AbortSignal) => Promise<Buffer>;

/** Each question has a socket of its own: a port that nobody can guess, and only packets of the server that was asked (RFC 5452). */
export const exchangeOverUdp: Exchange = ({ address, port = 53 }, query, accept, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = createSocket(isIPv6(address.replace(/%.*$/, '')) ? 'udp6' : 'udp4');
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners('message').removeAllListeners('error');
      socket.on('error', () => undefined); // A late ICMP message concerns nobody any more.
      socket.close();
      act();
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => settle(() => reject(error)));
    socket.on('message', (message) => {
      if (accept(message)) settle(() => resolve(message));
    });
    socket.connect(port, address, () => socket.send(query));
  });

export const exchangeOverTcp: Exchange = ({ address, port = 53 }, query, accept, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({ host: address, port });
    let received: Buffer = Buffer.alloc(0);
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      act();
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => settle(() => reject(error)));
    socket.on('close', () => settle(() => reject(new Error('the server closed the connection'))));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const message = received.subarray(2, 2 + received.readUInt16BE(0));
      settle(() => (accept(message) ? resolve(message) : reject(new Error('the server answered something else'))));
    });
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
  });

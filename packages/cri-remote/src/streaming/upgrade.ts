import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { RuntimeError } from '@orrery/cri';

const ANSWER_BYTES_MAX = 4096;

/**
 * Turns an HTTP connection into SPDY.
 * A server's certificate is not checked, as the kubelet does not: its address came from the runtime, and it is its own authority.
 *
 * @param protocol - What is spoken inside, as `v4.channel.k8s.io`.
 */
export function upgradeToSpdy(url: URL, protocol: string, signal: AbortSignal): Promise<Duplex> {
  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol, 'content-length': '0' };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { method: 'POST', headers, signal, agent: false, rejectUnauthorized: false })
        : httpRequest(url, { method: 'POST', headers, signal, agent: false });
    request.on('upgrade', (_, socket: Duplex, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        if (text.length < ANSWER_BYTES_MAX) text += chunk.toString();
      });
      response.on('close', () =>
        reject(new RuntimeError('INTERNAL', `the streaming server answers ${response.statusCode ?? 0}: ${text.trim()}`)),
      );
    });
    request.on('error', (cause) => reject(signal.aborted ? signal.reason : new RuntimeError('UNAVAILABLE', cause.message, { cause })));
    request.end();
  });
}

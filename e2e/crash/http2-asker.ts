import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Access } from '../support/https.ts';

const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_STATUS } = constants;

/** Asks over a few HTTP/2 connections: 64 requests in flight cost a few handshakes instead of 64. */
export class Http2Asker {
  readonly #sessions: readonly ClientHttp2Session[];
  #next = 0;

  constructor({ url, ca, cert, key }: Access, connections: number) {
    this.#sessions = Array.from({ length: connections }, () => connect(url, { ca, cert, key }).on('error', () => undefined));
  }

  json<T>(
    path: string,
    { method, send, headers }: { readonly method: string; readonly send: object; readonly headers: Readonly<Record<string, string>> },
  ): Promise<{ readonly status: number; readonly value: T }> {
    const session = this.#sessions[this.#next++ % this.#sessions.length];
    return new Promise((resolve, reject) => {
      if (session === undefined || session.destroyed) throw new Error('the connection is gone');
      const stream = session.request({ ...headers, [HTTP2_HEADER_METHOD]: method, [HTTP2_HEADER_PATH]: path });
      let status = 0;
      let text = '';
      stream.once('response', (answer) => (status = Number(answer[HTTP2_HEADER_STATUS])));
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      let isWhole = false;
      stream.once('end', () => (isWhole = status !== 0 && text !== ''));
      stream.once('error', reject);
      stream.once('close', () => {
        try {
          if (!isWhole) reject(new Error('the answer was cut'));
          else resolve({ status, value: JSON.parse(text) as T });
        } catch (err) {
          reject(err);
        }
      });
      stream.end(JSON.stringify(send));
    });
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }
}

import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Endpoint } from './server.ts';

/** A bare HTTP/2 client: what it spends is not what is measured. */
export async function connectHttp2({ url, ca, cert, key }: Endpoint): Promise<ClientHttp2Session> {
  const session = connect(url, { ca, cert, key, settings: { initialWindowSize: 4 * 1024 * 1024 } });
  await Promise.all([once(session, 'connect'), once(session, 'remoteSettings')]);
  session.setLocalWindowSize(64 * 1024 * 1024);
  return session;
}

export interface Answer {
  readonly status: number;
  readonly bytes: number;
  /** The beginning of the body of a failure. */
  readonly text: string;
}

/** One request; resolves at the last byte, which is not parsed. */
export function request(session: ClientHttp2Session, method: string, path: string, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ':method': method,
      ':path': path,
      accept: 'application/json',
      ...(body ? { 'content-type': 'application/json' } : {}),
    };
    const stream = session.request(headers, { endStream: body === undefined });
    let status = 0;
    let bytes = 0;
    let text = '';
    stream.on('response', (answered) => {
      status = Number(answered[':status']);
    });
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (status >= 300) text += chunk.toString();
    });
    stream.on('end', () => resolve({ status, bytes, text: text.slice(0, 500) }));
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
  });
}

/** {@link request}, and an error for every answer that is not a success. */
export async function succeed(session: ClientHttp2Session, method: string, path: string, body?: Buffer): Promise<Answer> {
  const answer = await request(session, method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer;
}

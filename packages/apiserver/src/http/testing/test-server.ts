import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { type ApiHttpServer, type ApiHttpServerOptions, newApiHttpServer } from '../server.ts';
import { newTestAuthority, type TestAuthority, type TestKeyPair } from './certificates.ts';
import { type MemoryHandler, newMemoryHandler } from './memory-handler.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** @default admin */
  readonly as?: TestKeyPair | 'nobody';
}

export interface TestServer {
  readonly handler: MemoryHandler;
  readonly server: ApiHttpServer;
  readonly authority: TestAuthority;
  readonly admin: TestKeyPair;
  readonly port: number;
  readonly url: string;
  ask(path: string, ask?: Ask): Promise<Answer>;
  /** The answer before its body has ended. */
  open(path: string, ask?: Ask): Promise<IncomingMessage>;
  http2(as?: TestKeyPair): ClientHttp2Session;
  close(): Promise<void>;
}

export const testVersion = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+orrery',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
};

export async function startTestServer(options: Partial<ApiHttpServerOptions> = {}): Promise<TestServer> {
  const authority = await newTestAuthority();
  const [tls, admin] = await Promise.all([
    authority.issue({ user: 'apiserver', server: true }),
    authority.issue({ user: 'admin', groups: ['system:masters'] }),
  ]);
  const handler = newMemoryHandler();
  const server = newApiHttpServer({ handler, tls: { ...tls, clientCa: authority.cert }, version: testVersion, ...options });
  const { port, url } = await server.listen();
  const agents = new Map<TestKeyPair | 'nobody', Agent>();
  const agentOf = (as: TestKeyPair | 'nobody'): Agent => {
    const known = agents.get(as) ?? new Agent({ ca: authority.cert, keepAlive: true, ...(as === 'nobody' ? {} : as) });
    agents.set(as, known);
    return known;
  };
  const open = (path: string, { method = 'GET', headers = {}, body, as = admin }: Ask = {}): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const all = { ...length, ...headers };
      const request = httpsRequest({ host: '127.0.0.1', port, path, method, headers: all, agent: agentOf(as) }, resolve);
      request.on('error', reject);
      request.end(body);
    });
  const ask = async (path: string, question?: Ask): Promise<Answer> => {
    const response = await open(path, question);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    return { status: response.statusCode ?? 0, headers: response.headers, text, json: <T>() => JSON.parse(text) as T };
  };
  return {
    handler,
    server,
    authority,
    admin,
    port,
    url,
    ask,
    open,
    http2: (as = admin) => connectHttp2(url, { ca: authority.cert, ...as }),
    async close() {
      await server.close();
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

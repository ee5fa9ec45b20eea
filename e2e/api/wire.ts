import { request } from 'node:https';
import type { Json, JsonObject } from '@orrery/apimachinery';
import { startCluster, type TestCluster, type TestClusterOptions, testPki } from '@orrery/testkit';
import { expect } from 'vitest';

export const contentType = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  jsonPatch: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export const accept = {
  protobuf: 'application/vnd.kubernetes.protobuf,application/json',
  table: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  metadata: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  metadataList: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
} as const;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  /** The body as JSON. */
  readonly body: Any;
}

/** JSON of unknown shape, for expectations. Reading an absent field of an absent object fails the test, as it should. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
export type Any = any;

export interface AskOptions {
  /** An object is sent as JSON; text and bytes as they are. */
  readonly body?: object | string | Buffer;
  /** Of the body. @default application/json */
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: Any;
}

/** An open watch: its events are collected as they come. */
export interface Watch {
  readonly events: readonly WatchEvent[];
  /** Resolves with the events so far once one of them fits. @throws when none does in 10 seconds, or the watch ends. */
  until(fits: (event: WatchEvent) => boolean): Promise<readonly WatchEvent[]>;
  /** Resolves when the server has ended the watch. */
  readonly ended: Promise<void>;
  close(): void;
}

/** A cluster that is asked in bytes over HTTPS, as a client in another language would. */
export interface Wire extends AsyncDisposable {
  readonly cluster: TestCluster;
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
  /** As `ask`, and the status must be the expected one. Returns the JSON body. */
  expectCode(code: number, method: string, path: string, options?: AskOptions): Promise<Any>;
  watch(path: string): Promise<Watch>;
  /** Makes a namespace of its own for a test. Returns its name. */
  namespace(): Promise<string>;
}

export async function startWire(options: TestClusterOptions = {}): Promise<Wire> {
  const cluster = await startCluster({ https: true, ...options });
  const { ca, admin } = await testPki();
  const { url } = cluster;
  if (url === undefined) throw new Error('the cluster serves no HTTPS');
  const tls = { ca: ca.cert, cert: admin.cert, key: admin.key };
  let namespaces = 0;

  const open = (method: string, path: string, { body, type, accept, headers = {} }: AskOptions) => {
    const sent = body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      const call = request(new URL(path, url), {
        method,
        ...tls,
        headers: {
          'User-Agent': 'wire/1',
          ...(accept === undefined ? {} : { Accept: accept }),
          ...(sent === undefined ? {} : { 'Content-Type': type ?? contentType.json, 'Content-Length': Buffer.byteLength(sent) }),
          ...headers,
        },
      });
      call.once('response', resolve);
      call.once('error', reject);
      call.end(sent);
    });
  };

  const ask = async (method: string, path: string, askOptions: AskOptions = {}): Promise<Answer> => {
    const response = await open(method, path, askOptions);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      bytes,
      get body() {
        return JSON.parse(bytes.toString());
      },
    };
  };

  return {
    cluster,
    ask,
    async expectCode(code, method, path, askOptions) {
      const answer = await ask(method, path, askOptions);
      expect(`${answer.status} ${answer.status === code ? '' : answer.bytes.toString()}`).toBe(`${code} `);
      return answer.body;
    },
    async watch(path) {
      const response = await open('GET', path, {});
      if (response.statusCode !== 200) throw new Error(`watch ${path}: ${response.statusCode}`);
      return collect(response);
    },
    async namespace() {
      const name = `wire-${++namespaces}`;
      const made = await ask('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
      expect(made.status).toBe(201);
      return name;
    },
    [Symbol.asyncDispose]: () => cluster.dispose(),
  };
}

const waitMs = 10_000;

function collect(response: import('node:http').IncomingMessage): Watch {
  const events: WatchEvent[] = [];
  let wake = (): void => {};
  let done = false;
  const ended = (async () => {
    let rest = '';
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        const lines = (rest + chunk.toString()).split('\n');
        rest = lines.pop() ?? '';
        events.push(...lines.map((line) => JSON.parse(line) as WatchEvent));
        wake();
      }
    } catch (error) {
      if (!response.destroyed) throw error;
    } finally {
      done = true;
      wake();
    }
  })();
  return {
    events,
    ended,
    async until(fits) {
      const deadline = Date.now() + waitMs;
      let seen = 0;
      for (;;) {
        for (; seen < events.length; seen++) {
          const event = events[seen];
          if (event !== undefined && fits(event)) return events.slice(0, seen + 1);
        }
        if (done || Date.now() > deadline) throw new Error(`no such event among ${JSON.stringify(events.map(({ type }) => type))}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, deadline - Date.now());
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    close: () => void response.destroy(),
  };
}

export const podTemplateSpec = (labels: JsonObject, container: JsonObject = {}): JsonObject => ({
  metadata: { labels },
  spec: { containers: [{ name: 'nginx', image: 'nginx:latest', ...container } as Json] },
});

import { readFileSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { parse } from 'yaml';

/** Where a cluster serves and who its administrator is: as curl would be told, without any client of ours. */
export interface Access {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** Rejects when the answer has not ended by then. @default 20000 */
  readonly timeoutMs?: number;
}

interface KubeconfigFile {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
}

/** Reads the one cluster of a kubeconfig that `orrery up` wrote. */
export function accessOf(kubeconfig: string): Access {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as KubeconfigFile;
  const decode = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  return {
    url: cluster['server'] ?? '',
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
}

/** Asks over HTTPS with nothing but Node's own client. Close it by `agent.destroy()`. */
export class Asker {
  readonly agent: Agent;
  readonly #access: Access;

  constructor(access: Access, connectionsMax = 64) {
    this.#access = access;
    const { ca, cert, key } = access;
    this.agent = new Agent({ ca, cert, key, keepAlive: true, maxSockets: connectionsMax });
  }

  /** The whole answer. Rejects when the connection breaks before its end. */
  ask(path: string, { method = 'GET', headers = {}, body, timeoutMs = 20_000 }: AskOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sized = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const request = httpsRequest(`${this.#access.url}${path}`, { method, headers: { ...sized, ...headers }, agent: this.agent });
      let begun = false;
      const late = (): Error => new Error(`${method} ${path}: ${begun ? 'an answer without end' : 'no answer'} in ${timeoutMs} ms`);
      const timer = setTimeout(() => {
        reject(late()); // Before the broken answer tells its own.
        request.destroy();
      }, timeoutMs);
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      request.once('error', fail);
      request.once('response', (response) => {
        begun = true;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', fail);
        response.once('close', () => {
          clearTimeout(timer);
          if (!response.complete) reject(new Error(`${method} ${path}: the answer was cut`));
          else resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
        });
      });
      request.end(body);
    });
  }

  /** JSON in, JSON out. */
  async json<T>(
    path: string,
    options: AskOptions & { readonly send?: object } = {},
  ): Promise<{ readonly status: number; readonly value: T }> {
    const { send, ...rest } = options;
    const body = send === undefined ? {} : { body: JSON.stringify(send) };
    const answer = await this.ask(path, { ...rest, ...body, headers: { 'content-type': 'application/json', ...rest.headers } });
    return { status: answer.status, value: JSON.parse(answer.body.toString()) as T };
  }

  /** Each line of an answer that goes on, until the server or `stop` ends it. */
  lines(path: string, onLine: (line: string) => void): { readonly ended: Promise<number>; stop(): void } {
    const request = httpsRequest(`${this.#access.url}${path}`, { agent: false, ...this.#credentials() });
    const ended = new Promise<number>((resolve) => {
      request.once('error', () => resolve(0));
      request.once('response', (response) => {
        let rest = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) onLine(line);
        });
        response.once('error', () => undefined);
        response.once('close', () => resolve(response.statusCode ?? 0));
      });
    });
    request.end();
    return { ended, stop: () => void request.destroy() };
  }

  #credentials(): Omit<Access, 'url'> {
    const { ca, cert, key } = this.#access;
    return { ca, cert, key };
  }
}

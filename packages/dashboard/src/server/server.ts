import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from '@orrery/base';
import type { DashboardCluster } from '../feed/cluster.ts';
import type { ViewStore } from '../feed/view-store.ts';
import type { Sink } from '../feed/viewer.ts';
import type { Action, ActionResult } from '../protocol.ts';
import { readAction } from './actions.ts';
import { type Gate, newGate } from './gate.ts';
import { answer, closedSignal, readBody, setSecurityHeaders } from './http.ts';
import { sendLog } from './logs.ts';
import { type PageFiles, sendPage } from './page.ts';
import { streamSink } from './stream.ts';

const VIEWERS_MAX = 16;
const CONNECTIONS_MAX = 128;

export interface PageServerOptions {
  readonly port: number;
  readonly random: Random;
  readonly page: PageFiles;
  readonly clusters: readonly DashboardCluster[];
  readonly store: ViewStore;
  readonly act: (action: Action, signal: AbortSignal) => Promise<ActionResult>;
  /** Starts telling a viewer; returns how to stop. */
  readonly look: (sink: Sink) => () => void;
}

export interface PageServer {
  /** With the token. */
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1 alone. Rejects when the port is taken. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  let port = 0;
  const gate = newGate(options.random, () => port);
  const handle = newHandler(gate, options);
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    // A page that goes away in the middle is no fault.
    response.on('error', () => undefined);
    handle(request, response).catch((err: unknown) => {
      if (response.headersSent) response.destroy();
      else answer(response, 500, err instanceof Error ? err.message : String(err));
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  port = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}/#${gate.token}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function newHandler(gate: Gate, { page, clusters, store, act, look }: PageServerOptions) {
  let viewers = 0;

  const enter = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const given = gate.enter((await readBody(request)) ?? '');
    if (given === undefined) return answer(response, 401, 'wrong token: open the address that was printed');
    response.setHeader('set-cookie', given.cookie);
    answer(response, 200, { key: given.key });
  };
  const stream = (response: ServerResponse): void => {
    if (viewers >= VIEWERS_MAX) {
      answer(response, 503, `${VIEWERS_MAX} pages look already: close some`);
      return;
    }
    viewers += 1;
    const stop = look(streamSink(response));
    response.once('close', () => {
      viewers -= 1;
      stop();
    });
  };
  const action = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const wanted = readAction((await readBody(request)) ?? '');
    if (wanted === undefined) return answer(response, 400, 'not an action');
    const result = await act(wanted, closedSignal(response));
    answer(response, result.ok ? 200 : 422, result);
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    setSecurityHeaders(response);
    const refusal = gate.refusal(request);
    if (refusal !== undefined) return answer(response, 403, refusal);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const { method = '' } = request;
    if (!pathname.startsWith('/api/')) {
      if (method !== 'GET' && method !== 'HEAD') return answer(response, 405, 'GET and HEAD only');
      return sendPage(page, pathname, request, response);
    }
    const route = `${method} ${pathname}`;
    // A form of another page can post without asking; none can without an origin that was checked above.
    if (method === 'POST' && request.headers.origin === undefined) return answer(response, 403, 'no origin');
    if (route === 'POST /api/enter') return enter(request, response);
    if (!gate.admits(request)) return answer(response, 401, 'open the address that was printed');
    if (route === 'GET /api/stream') return stream(response);
    if (route === 'GET /api/log') return sendLog(searchParams, { clusters, store }, response);
    if (route === 'POST /api/action') return action(request, response);
    answer(response, 404, 'not found');
  };
}

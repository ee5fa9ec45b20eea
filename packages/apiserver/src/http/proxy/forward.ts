import type { ClientRequest, IncomingMessage } from 'node:http';
import { isStatusError, newInternalError } from '@orrery/apimachinery';
import type { Exchange, OutgoingHeaders } from '../exchange.ts';
import type { ResourceRequestInfo } from '../request-info.ts';
import { drained } from '../send.ts';
import type { ConnectTarget } from './connector.ts';
import { requestHeaders, responseHeaders } from './forward-headers.ts';
import { type LinkRewriter, newLinkRewriter } from './rewrite-links.ts';
import { targetRefusal, unreachable } from './target-error.ts';
import { requestTo, type TargetAgents } from './target-request.ts';

/** Most of a refusal's text that is passed on. */
const refusalBytesMax = 50_000;

/** Passes a request on to its target and the answer back, both as streams. */
export async function forward(exchange: Exchange, info: ResourceRequestInfo, target: ConnectTarget, agents: TargetAgents): Promise<void> {
  const outgoing = requestTo(target, exchange.method, requestHeaders(exchange, target), agents);
  const cancel = (): void => void outgoing.destroy(new Error('the request was cancelled'));
  exchange.signal.addEventListener('abort', cancel, { once: true });
  try {
    exchange.request.on('error', cancel);
    exchange.request.pipe(outgoing);
    const answer = await answerOf(outgoing, target);
    const code = answer.statusCode ?? 502;
    if (target.errors === 'status' && (code < 200 || code > 206)) throw targetRefusal(code, await textOf(answer), info);
    await relay(exchange, target, code, answer);
  } catch (error) {
    outgoing.destroy();
    throw error;
  } finally {
    exchange.signal.removeEventListener('abort', cancel);
  }
}

function answerOf(outgoing: ClientRequest, target: ConnectTarget): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.on('error', (error) => reject(target.errors === 'status' ? newInternalError(error) : unreachable(error)));
    outgoing.once('upgrade', (_answer, socket) => {
      socket.destroy();
      reject(unreachable(new Error('the target changed the protocol without being asked')));
    });
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= refusalBytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, refusalBytesMax).toString('utf8').trim();
}

async function relay(exchange: Exchange, target: ConnectTarget, code: number, answer: IncomingMessage): Promise<void> {
  const { response, signal, method } = exchange;
  const headers = { ...exchange.headers, ...responseHeaders(answer.headers) };
  const rewriter = rewriterOf(exchange, target);
  const { location } = answer.headers;
  if (rewriter !== undefined && location !== undefined) headers['location'] = rewriter.link(location);
  const rewritten = rewriter !== undefined && location === undefined && isPlainHtml(answer) ? rewriter : undefined;
  if (rewritten !== undefined) delete headers['content-length'];
  response.writeHead(code, lowerCased(headers));
  if (method !== 'HEAD') response.flushHeaders();
  try {
    for await (const chunk of piecesOf(answer, rewritten)) {
      if (chunk.length > 0 && !response.write(chunk)) await drained(response, signal);
    }
    response.end();
  } catch (error) {
    if (isStatusError(error) || signal.aborted) throw error;
    response.destroy(); // The target broke off: the client must not take it for the whole.
  }
}

async function* piecesOf(answer: IncomingMessage, rewriter: LinkRewriter | undefined): AsyncGenerator<Buffer | string> {
  if (rewriter === undefined) {
    yield* answer as AsyncIterable<Buffer>;
    return;
  }
  answer.setEncoding('utf8');
  for await (const piece of answer as unknown as AsyncIterable<string>) yield rewriter.html(piece);
  yield rewriter.end();
}

const isPlainHtml = ({ headers }: IncomingMessage): boolean =>
  headers['content-encoding'] === undefined && (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() === 'text/html';

function rewriterOf({ request }: Exchange, { rewriteBelow, host, port }: ConnectTarget): LinkRewriter | undefined {
  if (rewriteBelow === undefined) return undefined;
  const asked = request.headers.host ?? request.headers[':authority'];
  return newLinkRewriter(rewriteBelow, [`${host}:${port}`, host, ...(typeof asked === 'string' ? [asked] : [])]);
}

/** One spelling, so that the target's header replaces ours. */
function lowerCased(headers: OutgoingHeaders): OutgoingHeaders {
  const lower: OutgoingHeaders = {};
  for (const [name, value] of Object.entries(headers)) lower[name.toLowerCase()] = value;
  return lower;
}

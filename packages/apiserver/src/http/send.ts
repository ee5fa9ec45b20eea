import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Exchange, HttpResponse } from './exchange.ts';
import { connectionOf, headerOf } from './exchange.ts';

/** What of the server's composition sending needs. */
export interface SendOptions {
  /** See `HttpLimits.gzipBytesMin`. */
  readonly gzipBytesMin: number;
}

/** Bytes put together before they are written: larger than a TLS record, small enough not to hold a second copy of a list. */
const chunkBytes = 256 * 1024;

/**
 * Sends a whole answer. The pieces are joined into chunks and written as fast as the client takes them.
 *
 * @throws the signal's reason when the request is aborted on the way.
 */
export async function send(
  exchange: Exchange,
  code: number,
  contentType: string,
  pieces: readonly (Buffer | string)[],
  options: SendOptions,
): Promise<void> {
  const { response, method } = exchange;
  if (response.headersSent || response.writableEnded) return;
  const size = pieces.reduce((sum, piece) => sum + (typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length), 0);
  const headers = { ...exchange.headers, 'Content-Type': contentType };
  if (method === 'HEAD') {
    response.writeHead(code, { ...headers, 'Content-Length': size });
    response.end();
    return;
  }
  if (size >= options.gzipBytesMin && wantsGzip(exchange)) return sendCompressed(exchange, code, headers, pieces);
  response.writeHead(code, { ...headers, 'Content-Length': size });
  if (size <= chunkBytes) {
    response.end(joined(pieces));
    return;
  }
  for (const chunk of chunksOf(pieces)) {
    if (!response.write(chunk)) await drained(response, exchange.signal);
  }
  response.end();
}

function joined(pieces: readonly (Buffer | string)[]): Buffer | string {
  if (pieces.length === 1) return pieces[0] ?? '';
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}

/** The same bytes in chunks of about {@link chunkBytes}: one TLS write each, instead of one per piece. */
function* chunksOf(pieces: readonly (Buffer | string)[]): Generator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for (const piece of pieces) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    pending.push(bytes);
    size += bytes.length;
    if (size < chunkBytes) continue;
    yield pending.length === 1 ? bytes : Buffer.concat(pending, size);
    pending = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pending, size);
}

/** Resolves when the client has taken enough; rejects when the request is aborted or the connection is lost. */
export function drained(response: HttpResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => (): void => {
      response.removeListener('drain', onDrain);
      response.removeListener('close', onClose);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onDrain = finish(resolve);
    const onClose = finish(() => reject(new Error('the connection was closed')));
    const onAbort = finish(() => reject(signal.reason));
    response.once('drain', onDrain);
    response.once('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else if (response.destroyed === true) onClose();
  });
}

/** On this machine, compressing costs more than it saves. */
function wantsGzip({ request }: Exchange): boolean {
  const accepted = headerOf(request, 'accept-encoding') ?? '';
  if (!/(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(accepted)) return false;
  const address = connectionOf(request).remoteAddress ?? '';
  return !/^(?:127\.|::1$|::ffff:127\.)/.test(address);
}

async function sendCompressed(
  { response, signal }: Exchange,
  code: number,
  headers: Exchange['headers'],
  pieces: readonly (Buffer | string)[],
): Promise<void> {
  response.writeHead(code, { ...headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
  const gzip = createGzip({ level: 1 });
  const write = async (): Promise<void> => {
    for await (const chunk of gzip as AsyncIterable<Buffer>) if (!response.write(chunk)) await drained(response, signal);
    response.end();
  };
  const writing = write();
  try {
    for (const chunk of chunksOf(pieces)) if (!gzip.write(chunk)) await Promise.race([once(gzip, 'drain', { signal }), writing]);
    gzip.end();
    await writing;
  } finally {
    gzip.destroy();
    await writing.catch(() => undefined); // Its failure was thrown above, or follows from destroying the compressor.
  }
}

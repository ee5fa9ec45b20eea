import type { Transform } from 'node:stream';
import { constants, createDeflate, createInflate } from 'node:zlib';

/** Words of the SPDY/3 header dictionary, each preceded by its length in four bytes. Source: SPDY protocol draft 3.1, section 2.6.10.1. */
const words =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization ' +
  'cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range ' +
  'content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified ' +
  'location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding ' +
  'upgrade user-agent vary via warning www-authenticate method get status';
const lastWords = ['200 OK', 'version', 'HTTP/1.1', 'url', 'public', 'set-cookie', 'keep-alive', 'origin'];
/** What follows the words, without lengths. */
const text =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505' +
  '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found' +
  '500 Internal Server Error501 Not Implemented503 Service Unavailable' +
  'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT' +
  'chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,' +
  'publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

const withLength = (word: string): Buffer => {
  const bytes = Buffer.from(word);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

export const headerDictionary: Buffer = Buffer.concat([...[...words.split(' '), ...lastWords].map(withLength), Buffer.from(text)]);

export type SpdyHeaders = ReadonlyMap<string, string>;

const HEADER_BYTES_MAX = 64 * 1024;

/** Puts one block through a compressor that remembers the ones before, and answers what came out of it. */
function passThrough(stream: Transform & { flush(kind: number, done: () => void): void }, block: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const onData = (part: Buffer): void => {
      parts.push(part);
      length += part.length;
      if (length > HEADER_BYTES_MAX) stream.destroy(new Error('SPDY headers are too large'));
    };
    const finish = (settle: () => void): void => {
      stream.off('data', onData);
      stream.off('error', onError);
      settle();
    };
    const onError = (err: Error): void => finish(() => reject(err));
    stream.on('data', onData);
    stream.on('error', onError);
    stream.write(block);
    stream.flush(constants.Z_SYNC_FLUSH, () => finish(() => resolve(Buffer.concat(parts))));
  });
}

function parseHeaders(block: Buffer): SpdyHeaders {
  const headers = new Map<string, string>();
  let at = 4;
  const next = (): string => {
    const end = at + 4 + block.readUInt32BE(at);
    if (end > block.length) throw new Error('SPDY header block is cut off');
    const value = block.toString('utf8', at + 4, end);
    at = end;
    return value;
  };
  for (let left = block.readUInt32BE(0); left > 0; left -= 1) {
    const name = next();
    headers.set(name.toLowerCase(), next());
  }
  return headers;
}

function renderHeaders(headers: SpdyHeaders): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(headers.size);
  return Buffer.concat([count, ...[...headers].flatMap(([name, value]) => [withLength(name.toLowerCase()), withLength(value)])]);
}

/** Header blocks of one connection: both directions remember what went before, so blocks must be given in order and one at a time. */
export interface HeaderCodec {
  decode(block: Buffer): Promise<SpdyHeaders>;
  encode(headers: SpdyHeaders): Promise<Buffer>;
  close(): void;
}

export function newHeaderCodec(): HeaderCodec {
  const inflate = createInflate({ dictionary: headerDictionary });
  const deflate = createDeflate({ dictionary: headerDictionary });
  return {
    decode: async (block) => parseHeaders(await passThrough(inflate, block)),
    encode: (headers) => passThrough(deflate, renderHeaders(headers)),
    close() {
      inflate.destroy();
      deflate.destroy();
    },
  };
}

import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';

type Bytes = AsyncIterable<Buffer>;

async function* withFirst(first: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* unzstd(source: Bytes): AsyncGenerator<Buffer> {
  const { Decompress } = await import('fzstd');
  let ready: Buffer[] = [];
  const stream = new Decompress((chunk) => ready.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)));
  for await (const chunk of source) {
    stream.push(chunk);
    const out = ready;
    ready = [];
    yield* out;
  }
  stream.push(new Uint8Array(0), true);
  yield* ready;
}

const nativeZstd = (zlib as { createZstdDecompress?: () => zlib.Gunzip }).createZstdDecompress; // Since Node 22.15.

async function* through(source: Bytes, transform: zlib.Gunzip): AsyncGenerator<Buffer> {
  const input = Readable.from(source, { objectMode: false });
  input.on('error', (error) => transform.destroy(error));
  input.pipe(transform);
  try {
    yield* transform as Bytes;
  } finally {
    input.destroy();
    transform.destroy();
  }
}

/** Unpacks gzip and zstd, seen by their first bytes; passes anything else as it is. */
export async function* decompressed(source: Bytes): AsyncGenerator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let head = Buffer.alloc(0);
  while (head.length < 4) {
    const next = await iterator.next();
    if (next.done === true) break;
    first.push(next.value);
    head = Buffer.concat([head, next.value.subarray(0, 4)]);
  }
  const all = withFirst(first, iterator);
  if (head[0] === 0x1f && head[1] === 0x8b) yield* through(all, zlib.createGunzip({ chunkSize: 256 * 1024 }));
  else if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528)
    yield* nativeZstd === undefined ? unzstd(all) : through(all, nativeZstd());
  else yield* all;
}

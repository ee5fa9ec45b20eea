import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Payload, Platform, Starter } from '../plan/payload.ts';
import { type ArchiveFile, tarOf } from './tar.ts';

/** What a program consists of, before it is packed. */
export interface Code {
  readonly starter: Starter;
  readonly files: readonly ArchiveFile[];
  readonly entry: string;
  readonly interpreter?: string;
  readonly platform: Platform | undefined;
}

/** Beyond it the best compression takes longer than the transfer of what it saves. */
const BEST_BYTES_MAX = 2 * 1024 * 1024;

/** The archive, compressed for whoever unpacks it (brotli for Node, gzip for a shell), and named by its content. */
export async function packCode({ files, ...code }: Code): Promise<Payload> {
  const archive = tarOf(files);
  const quality = archive.length <= BEST_BYTES_MAX ? 9 : 5;
  const packed =
    code.starter === 'node'
      ? await promisify(brotliCompress)(archive, {
          params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: archive.length },
        })
      : await promisify(gzip)(archive, { level: 6 });
  return { ...code, packed, unpackedBytes: archive.length, hash: createHash('sha256').update(packed).digest('hex') };
}

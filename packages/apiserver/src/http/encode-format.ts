import { newline } from './encode.ts';
import type { Format } from './negotiation.ts';

/** JSON pieces in another format or layout. JSON as it stands is never parsed. */
export async function encodeInFormat(
  pieces: readonly (Buffer | string)[],
  format: Format,
  pretty: boolean,
): Promise<readonly (Buffer | string)[]> {
  if (format === 'json' && !pretty) return [...pieces, newline];
  const text = pieces.map((piece) => (typeof piece === 'string' ? piece : piece.toString('utf8'))).join('');
  const value: unknown = JSON.parse(text);
  if (format === 'json') return [JSON.stringify(value, undefined, 2), newline];
  throw new Error(`no encoder for ${format}`);
}

const head = /^\{"(?:kind|apiVersion)":"[^"\\]*","(?:kind|apiVersion)":"[^"\\]*","metadata":\{/;
const headBytesMax = 512; // A kind and an API group are DNS names: at most 63 and 253 characters each.
const closingBrace = 0x7d;
const pooledBytesMax = 1024; // Larger buffers get memory of their own: a slab shared with long-lived neighbours is never freed.

/**
 * The JSON of an object as it is served: the stored bytes with `metadata.resourceVersion` put in front of the other metadata.
 * Nothing is parsed where the bytes begin with kind, apiVersion and metadata, as ours and upstream's always do.
 */
export function spliceResourceVersion(stored: Uint8Array, revision: number): Buffer {
  const bytes = asBuffer(stored);
  const at = head.exec(bytes.toString('latin1', 0, Math.min(bytes.length, headBytesMax)))?.[0].length;
  if (at === undefined) return reserialise(bytes, revision);
  const text = `"resourceVersion":"${revision}"${bytes[at] === closingBrace ? '' : ','}`;
  const size = bytes.length + text.length;
  const out = size > pooledBytesMax ? Buffer.allocUnsafeSlow(size) : Buffer.allocUnsafe(size);
  bytes.copy(out, 0, 0, at);
  out.write(text, at, 'latin1');
  bytes.copy(out, at + text.length, at);
  return out;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function reserialise(bytes: Buffer, revision: number): Buffer {
  const { kind, apiVersion, metadata, ...rest } = JSON.parse(bytes.toString('utf8')) as { [field: string]: object };
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata: { ...metadata, resourceVersion: String(revision) }, ...rest }));
}

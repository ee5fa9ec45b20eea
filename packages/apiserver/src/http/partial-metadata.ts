import type { Encoded } from '../handler.ts';
import type { Conversion } from './negotiation.ts';

/** Made once per object and version of the form, however many watchers and lists ask. */
const cached = new WeakMap<Encoded, Map<string, Encoded>>();

/** The object with nothing but its metadata. */
export function partialMetadataOf(item: Encoded, { version }: Conversion): Encoded {
  const byVersion = cached.get(item) ?? new Map<string, Encoded>();
  const known = byVersion.get(version);
  if (known !== undefined) return known;
  const object = { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: item.object.metadata };
  const fresh: Encoded = { object, revision: item.revision, json: Buffer.from(JSON.stringify(object)) };
  byVersion.set(version, fresh);
  cached.set(item, byVersion);
  return fresh;
}

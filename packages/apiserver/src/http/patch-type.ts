import type { PatchType } from '@orrery/client';
import { unsupportedMediaType } from './negotiation.ts';

const patchTypes: ReadonlyMap<string, PatchType> = new Map([
  ['application/json-patch+json', 'json'],
  ['application/merge-patch+json', 'merge'],
  ['application/strategic-merge-patch+json', 'strategic'],
  ['application/apply-patch+yaml', 'apply'],
]);

/** @throws {StatusError} 415 naming the patch types, for anything else; a patch has no default. */
export function patchTypeOf(contentType: string | undefined): PatchType {
  const essence = (contentType ?? '').split(';', 1)[0]?.trim() ?? '';
  const type = patchTypes.get(essence);
  if (type === undefined) throw unsupportedMediaType([...patchTypes.keys()]);
  return type;
}

import type { ManagedFieldsEntry } from '../generated/meta-v1.ts';
import type { Json } from '../json.ts';
import type { KubeObject } from '../object.ts';
import { equalJson } from '../patch/json-value.ts';

/**
 * `object` with the managed fields of `old` where only their times differ: a write that changed nothing else is no write, as
 * re-applying `cpu: "0.5"` over a stored `500m`. For comparison before storing. Source: IgnoreManagedFieldsTimestampsTransformer.
 */
export function withStoredTimes<T extends KubeObject>(object: T, old: KubeObject): T {
  const next = object.metadata.managedFields ?? [];
  const stored = old.metadata.managedFields ?? [];
  if (next === stored || next.length !== stored.length || next.length === 0) return object;
  const rest = [...stored];
  for (const entry of next) {
    const index = rest.findIndex((candidate) => sameButTime(entry, candidate));
    if (index < 0) return object;
    rest.splice(index, 1);
  }
  return { ...object, metadata: { ...object.metadata, managedFields: stored } };
}

function sameButTime(left: ManagedFieldsEntry, right: ManagedFieldsEntry): boolean {
  return (
    left.manager === right.manager &&
    left.operation === right.operation &&
    left.apiVersion === right.apiVersion &&
    (left.subresource ?? '') === (right.subresource ?? '') &&
    equalJson(left.fieldsV1 as Json | undefined, right.fieldsV1 as Json | undefined)
  );
}

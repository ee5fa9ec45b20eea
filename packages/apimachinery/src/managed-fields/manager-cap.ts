import { unionSets } from './field-set.ts';
import type { FieldManager, FieldManagers } from './manager-entries.ts';
import { newManager, secondsOf } from './manager-entries.ts';

/** Source: DefaultMaxUpdateManagers. */
const updateManagersMax = 10;
const bucketName = 'ancient-changes';

/** Merges the oldest owners by update, version by version, into one named `ancient-changes` until ten are left. Source: capUpdateManagers. */
export function capUpdateManagers(managers: FieldManagers): void {
  const updaters = [...managers].filter(([, { operation }]) => operation === 'Update');
  if (updaters.length <= updateManagersMax) return;
  updaters.sort(([idA, a], [idB, b]) => secondsOf(a) - secondsOf(b) || (idA < idB ? -1 : 1));
  const firstOfVersion = new Map<string, string>();
  let count = updaters.length;
  for (const [id, updater] of updaters) {
    if (count <= updateManagersMax) return;
    const first = firstOfVersion.get(updater.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(updater.apiVersion, id);
      continue;
    }
    mergeInto(managers, first, id, updater);
    count--;
  }
}

function mergeInto(managers: FieldManagers, firstId: string, id: string, updater: FieldManager): void {
  const { apiVersion, time, fields } = updater;
  const bucket = newManager({ name: bucketName, operation: 'Update', apiVersion, subresource: '' }, time, fields);
  const held = managers.get(bucket.id) ?? managers.get(firstId);
  if (held === undefined) return;
  if (!managers.has(bucket.id)) managers.delete(firstId);
  if (id !== bucket.id) managers.delete(id);
  managers.set(bucket.id, { ...bucket, fields: unionSets(fields, held.fields) });
}

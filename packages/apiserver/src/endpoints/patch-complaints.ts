import { isJsonObject, type Json } from '@orrery/apimachinery';
import type { ApiCall } from '../handler.ts';

const operationFields = new Set(['op', 'path', 'from', 'value']);

/**
 * What strict decoding complains of in the patch itself: keys that stand twice, and fields that operations of a JSON patch do not have.
 * They come before what the patched object is complained of. Source: jsonPatcher.applyJSPatch.
 */
export function patchComplaints({ patchType, body, duplicates = [] }: ApiCall): readonly string[] {
  if (patchType !== 'json' || !Array.isArray(body)) return duplicates;
  const operations = body as readonly Json[];
  const unknown = operations.flatMap((operation, index) =>
    Object.keys(isJsonObject(operation) ? operation : {})
      .filter((field) => !operationFields.has(field))
      .map((field) => `unknown field ${JSON.stringify(`[${index}].${field}`)}`),
  );
  return inKeyOrder([...unknown, ...duplicates]).map((complaint) => `json patch ${complaint}`);
}

/** Sorts complaints by the field that they name: a patched document is read with its keys in order. */
export function inKeyOrder(complaints: readonly string[]): readonly string[] {
  if (complaints.length < 2) return complaints;
  const steps = new Map(complaints.map((complaint) => [complaint, stepsOf(complaint)]));
  return [...complaints].sort((a, b) => compareSteps(steps.get(a) ?? [], steps.get(b) ?? []));
}

/** `spec`, `containers`, `0`, `name` of `unknown field "spec.containers[0].name"`. */
const stepsOf = (complaint: string): readonly string[] => complaint.slice(complaint.indexOf('"') + 1, -1).split(/[.[\]]+/);

function compareSteps(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x = '', y = ''] = [a[i], b[i]];
    if (x === y) continue;
    const byNumber = /^[0-9]+$/.test(x) && /^[0-9]+$/.test(y) ? Number(x) - Number(y) : 0;
    return byNumber !== 0 ? byNumber : x < y ? -1 : 1;
  }
  return a.length - b.length;
}

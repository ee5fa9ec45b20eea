import {
  applyJsonPatch,
  applyMergePatch,
  invalid,
  isJsonObject,
  isStatusError,
  type Json,
  type JsonObject,
  newBadRequest,
  newInvalid,
  type StatusError,
  type StructSchema,
  strategicMergePatch,
} from '@orrery/apimachinery';
import type { WriteRequest } from './write-request.ts';

/** `document` with the request's JSON, merge or strategic patch applied; shares what the patch left alone. @throws StatusError */
export function applyPatch({ call }: WriteRequest, schema: StructSchema, document: JsonObject): JsonObject {
  const patched = patchedBy(call.patchType, schema, document, call.body);
  if (!isJsonObject(patched)) throw unfitPatch(patched, 'json: cannot unmarshal the patched document into an object');
  return patched;
}

function patchedBy(type: string | undefined, schema: StructSchema, document: JsonObject, patch: Json | undefined): Json {
  switch (type) {
    case 'json':
      return applyJsonPatch(document, patch);
    case 'merge':
      return applyMergePatch(document, patch);
    case 'strategic':
      return strategicMergePatch(schema, document, patch);
    default:
      throw newBadRequest(`unknown patch type ${JSON.stringify(type)}`);
  }
}

/** 422 of a patch whose result is no object of the kind. @param shown - What the message shows: the patched document, or the patch. */
export const unfitPatch = (shown: unknown, problem: string): StatusError =>
  newInvalid({ group: '', kind: '' }, '', [invalid('patch', typeof shown === 'string' ? shown : JSON.stringify(shown), problem)]);

/** A decoding error as patches report it: without the headline, as a fault of the field `patch`. */
export function asUnfitPatch(error: unknown, shown: unknown): unknown {
  if (!isStatusError(error) || error.reason !== 'BadRequest') return error;
  return unfitPatch(shown, error.message.replace(/^\S+ in version "[^"]*" cannot be handled as a \S+: /, ''));
}

/** An applied configuration names the version and the kind of what the URL names. @throws StatusError BadRequest */
export function checkAppliedType(body: Json | undefined, expected: { readonly apiVersion: string; readonly kind: string }): void {
  if (!isJsonObject(body)) return; // Judged with the rest of the configuration.
  const { apiVersion = '', kind = '' } = body;
  if (apiVersion !== expected.apiVersion) {
    const given = typeof apiVersion === 'string' ? apiVersion : '';
    throw newBadRequest(`Incorrect version specified in apply patch. Specified patch version: ${given}, expected: ${expected.apiVersion}`);
  }
  if (kind === expected.kind) return;
  const given = typeof kind === 'string' ? kind : '';
  throw newBadRequest(`Incorrect kind specified in apply patch. Specified patch kind: ${given}, expected: ${expected.kind}`);
}

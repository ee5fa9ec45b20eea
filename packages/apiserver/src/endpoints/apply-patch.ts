import { type Json, type JsonObject, newBadRequest, type StructSchema } from '@orrery/apimachinery';
import type { WriteRequest } from './write-request.ts';

/** `document` with the request's JSON, merge or strategic patch applied; shares what the patch left alone. */
export function applyPatch(
  { call }: WriteRequest,
  _schema: StructSchema,
  _document: { readonly [field: string]: Json | undefined },
): JsonObject {
  throw newBadRequest(`patches of type ${call.patchType ?? 'none'} are not supported`);
}

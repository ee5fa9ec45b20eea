import { fieldsOf } from '@orrery/apimachinery';
import type { ApiResult } from '../handler.ts';
import { applyPatch } from './apply-patch.ts';
import type { WriteRequest } from './write-request.ts';

/** PATCH of an object or of a part of it. */
export async function patch(request: WriteRequest): Promise<ApiResult> {
  applyPatch(request, request.endpoint.schema, fieldsOf({}));
  return { type: 'value', code: 200, value: {}, warnings: [] };
}

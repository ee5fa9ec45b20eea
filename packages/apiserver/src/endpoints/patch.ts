import {
  type Draft,
  decodeStruct,
  fieldsOf,
  type JsonObject,
  type KubeObject,
  newBadRequest,
  newConflict,
  newNotFound,
  strictDecodingError,
} from '@orrery/apimachinery';
import type { ApiResult } from '../handler.ts';
import { applyPatch, asUnfitPatch, unfitPatch } from './apply-patch.ts';
import { judgeComplaints, keepReset } from './decode-body.ts';
import { serverSideApplied } from './field-tracking.ts';
import { inKeyOrder, patchComplaints } from './patch-complaints.ts';
import { checkIdentity } from './update.ts';
import { updateLoop } from './update-loop.ts';
import { rulesOf } from './update-plans.ts';
import { resourceOf, type WriteRequest } from './write-request.ts';

/** PATCH of an object or of a part of it. Only server-side apply may create. */
export async function patch(request: WriteRequest): Promise<ApiResult> {
  const isApply = request.call.patchType === 'apply';
  if (request.call.body === undefined) throw newBadRequest('the body must be a patch');
  const { item, created } = await updateLoop(request, {
    ...rulesOf(request),
    produce: (old) => (isApply ? applied(request, old) : patched(request, old)),
    allowCreate: isApply && request.subresource === '',
    tracked: isApply,
  });
  return { type: 'object', code: created ? 201 : 200, item, warnings: request.warnings };
}

function patched(request: WriteRequest, old: KubeObject | undefined): Draft<KubeObject> {
  if (old === undefined) throw newNotFound(resourceOf(request), request.name);
  const { schema } = request.endpoint;
  const document = applyPatch(request, schema, fieldsOf(old) as JsonObject);
  const shown = request.call.patchType === 'strategic' ? request.call.body : document;
  const draft = decodePatched(request, document, shown);
  checkIdentity(request, draft);
  return draft;
}

/** What strict decoding complains of can only come from the patch: stored objects hold known fields alone. */
function decodePatched(request: WriteRequest, document: JsonObject, shown: unknown): Draft<KubeObject> {
  try {
    const { object, unknown } = decodeStruct(request.endpoint.schema, document);
    keepReset(object, document);
    judgeComplaints(request, [...patchComplaints(request.call), ...inKeyOrder(unknown)], (complaints) => {
      throw unfitPatch(shown, strictDecodingError(complaints));
    });
    return object as Draft<JsonObject> as unknown as Draft<KubeObject>;
  } catch (error) {
    throw asUnfitPatch(error, shown);
  }
}

async function applied(request: WriteRequest, old: KubeObject | undefined): Promise<Draft<KubeObject>> {
  const draft = await serverSideApplied(request, old);
  if (old === undefined && (draft.metadata.uid ?? '') !== '') {
    const detail = `uid mismatch: the provided object specified uid ${draft.metadata.uid}, and no existing object was found`;
    throw newConflict(resourceOf(request), request.name, detail);
  }
  if ((draft.metadata.name ?? '') === '') draft.metadata.name = request.name;
  checkIdentity(request, draft);
  return draft;
}

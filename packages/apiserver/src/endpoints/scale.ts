import {
  cloneJson,
  type Draft,
  fieldsOf,
  invalid,
  isJsonObject,
  type Json,
  type JsonObject,
  type KubeObject,
  newBadRequest,
  newInvalid,
  newNotFound,
  serverSideApply,
  strictDecodingError,
} from '@orrery/apimachinery';
import type { ScaleMapping } from '../definition.ts';
import type { ApiCall, ApiResult } from '../handler.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { applyPatch, checkAppliedType } from './apply-patch.ts';
import { decodeAs } from './decode-body.ts';
import { serverSideApplied } from './field-tracking.ts';
import { read } from './get.ts';
import type { ServerCore } from './server-core.ts';
import { updateLoop } from './update-loop.ts';
import { rulesOf } from './update-plans.ts';
import { newWriteRequest, type WriteRequest } from './write-request.ts';

export const scaleTypeName = 'io.k8s.api.autoscaling.v1.Scale';
const apiVersion = 'autoscaling/v1';

interface Scale extends KubeObject {
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly replicas: number; readonly selector?: string };
}

/** GET, PUT and PATCH of `/scale`: the replicas of any scalable kind in one form, autoscaling/v1 Scale. */
export async function scale(core: ServerCore, endpoint: ResourceEndpoint, call: ApiCall): Promise<ApiResult> {
  const mapping = endpoint.definition.scale;
  if (mapping === undefined) throw newNotFound(endpoint.groupResource, call.name ?? '');
  if (call.verb === 'get') {
    const { object } = await read(core, endpoint, call);
    return { type: 'value', code: 200, value: scaleOf(object, mapping), warnings: [] };
  }
  const request = newWriteRequest(core, endpoint, call);
  const isApply = call.patchType === 'apply';
  const { item } = await updateLoop(request, {
    ...rulesOf(request),
    allowCreate: false,
    tracked: isApply,
    produce: (old) => {
      if (old === undefined) throw newNotFound(endpoint.groupResource, request.name);
      return isApply ? appliedScale(request, old) : withScale(old, wantedScale(request, old, mapping), mapping);
    },
  });
  return { type: 'value', code: 200, value: scaleOf(item.object, mapping), warnings: request.warnings };
}

function scaleOf(object: KubeObject, mapping: ScaleMapping<KubeObject>): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = mapping.selector(object);
  return {
    kind: 'Scale',
    apiVersion,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: mapping.specReplicas(object) },
    status: { replicas: mapping.statusReplicas(object), ...(selector === '' ? {} : { selector }) },
  };
}

/** The parent with an applied Scale: its replicas are the parent's `spec.replicas`, owned under the subresource `scale`. */
function appliedScale(request: WriteRequest, old: KubeObject): Draft<KubeObject> {
  const { call, core, endpoint, manager, context } = request;
  const options = { manager, apiVersion, kind: 'Scale', time: context.now };
  checkAppliedType(call.body, options);
  const scale = serverSideApply(core.schemas.struct(scaleTypeName), undefined, call.body, options).object;
  checkScale(request, scale);
  const { uid, resourceVersion } = (scale['metadata'] ?? {}) as JsonObject;
  const metadata = {
    name: request.name,
    ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const { replicas } = (scale['spec'] ?? {}) as JsonObject;
  const spec = replicas === undefined ? {} : { spec: { replicas } };
  const body = { apiVersion: endpoint.apiVersion, kind: endpoint.definition.kind, metadata, ...spec };
  return serverSideApplied({ ...request, call: { ...call, body } }, old);
}

/** The Scale that the request wants: its body, or its patch applied to the present one. */
function wantedScale(request: WriteRequest, old: KubeObject, mapping: ScaleMapping<KubeObject>): JsonObject {
  const { call, core } = request;
  const schema = core.schemas.struct(scaleTypeName);
  const present = scaleOf(old, mapping);
  const document: Json | undefined = call.verb === 'patch' ? applyPatch(request, schema, fieldsOf(present) as JsonObject) : call.body;
  if (!isJsonObject(document)) throw newBadRequest('the body must be a Scale');
  const wanted = decodeAs(request, schema, document, call.duplicates, (complaints) => {
    throw newBadRequest(`Scale in version "v1" cannot be handled as a Scale: ${strictDecodingError(complaints)}`);
  }) as JsonObject;
  checkScale(request, wanted);
  return wanted;
}

function checkScale({ name, namespace }: WriteRequest, wanted: JsonObject): void {
  const { metadata, spec } = wanted as { metadata?: { name?: string; namespace?: string }; spec?: { replicas?: number } };
  const own = metadata?.name ?? '';
  if (own !== '' && own !== name) throw newBadRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  const ownNamespace = metadata?.namespace ?? '';
  if (ownNamespace !== '' && ownNamespace !== (namespace ?? '')) {
    throw newBadRequest(`the namespace of the object (${ownNamespace}) does not match the namespace on the request (${namespace ?? ''})`);
  }
  const replicas = spec?.replicas ?? 0;
  if (replicas < 0) {
    const error = invalid('spec.replicas', replicas, 'must be greater than or equal to 0');
    throw newInvalid({ group: 'autoscaling', kind: 'Scale' }, name, [error]);
  }
}

/** The parent with the wanted replicas, and the version and uid that the client wants it to have. */
function withScale(old: KubeObject, wanted: JsonObject, mapping: ScaleMapping<KubeObject>): Draft<KubeObject> {
  const { metadata = {}, spec = {} } = wanted as { metadata?: { uid?: string; resourceVersion?: string }; spec?: { replicas?: number } };
  const draft = cloneJson(mapping.withReplicas(old, spec.replicas ?? 0));
  draft.metadata.resourceVersion = metadata.resourceVersion ?? '';
  draft.metadata.uid = metadata.uid ?? '';
  return draft;
}

import { cloneJson, type Draft, type KubeObject, newBadRequest, newNotFound, strictDecodingError } from '@orrery/apimachinery';
import type { ApiCall, ApiResult, Encoded } from '../handler.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { judge, mutate } from './admission-chain.ts';
import { decodeAs } from './decode-body.ts';
import { dispatch } from './dispatch.ts';
import { read } from './get.ts';
import type { ServerCore } from './server-core.ts';
import type { SubresourceContext, SubresourceHandler } from './subresource.ts';
import { updateLoop } from './update-loop.ts';
import { newWriteRequest, type WriteRequest, warn } from './write-request.ts';

/** `pods/binding`; `deployments.apps/rollback` outside the core group. */
export function subresourceKey({ groupResource: { group, resource } }: ResourceEndpoint, subresource: string): string {
  return group === '' ? `${resource}/${subresource}` : `${resource}.${group}/${subresource}`;
}

/** Runs a subresource with a meaning of its own. */
export async function callSubresource(
  core: ServerCore,
  endpoint: ResourceEndpoint,
  call: ApiCall,
  handler: SubresourceHandler,
  signal: AbortSignal,
): Promise<ApiResult> {
  const request = newWriteRequest(core, endpoint, call);
  const result = await handler.handle(call, contextOf(request, signal), signal);
  return result.type === 'list' || request.warnings.length === 0
    ? result
    : { ...result, warnings: [...request.warnings, ...result.warnings] };
}

function contextOf(request: WriteRequest, signal: AbortSignal): SubresourceContext {
  const { core, endpoint, call, dryRun, context } = request;
  return {
    endpoint,
    now: context.now,
    dryRun,
    warn: (text) => warn(request, text),
    parent: () => read(core, endpoint, { ...call, options: {} }),
    decodeBody: (typeName) => {
      const kind = typeName.slice(typeName.lastIndexOf('.') + 1);
      if (call.body === undefined) throw newBadRequest(`the body must be a ${kind}`);
      return decodeAs(request, core.schemas.struct(typeName), call.body, call.duplicates, (complaints) => {
        throw newBadRequest(`${kind} cannot be handled: ${strictDecodingError(complaints)}`);
      });
    },
    async admit(object, old) {
      const operation = call.verb === 'create' ? 'CREATE' : call.verb === 'delete' ? 'DELETE' : 'UPDATE';
      await mutate(request, operation, object, old);
      await judge(request, operation, object as KubeObject | undefined, old);
    },
    update: (change) => changeParent(request, change),
    call: (other) => dispatch(core, { ...other, user: call.user, userAgent: call.userAgent }, signal),
  };
}

async function changeParent(request: WriteRequest, change: (draft: Draft<KubeObject>, old: KubeObject) => void): Promise<Encoded> {
  const { item } = await updateLoop(
    { ...request, core: { ...request.core, admission: [] } },
    {
      produce(old) {
        if (old === undefined) throw newNotFound(request.endpoint.groupResource, request.name);
        const draft = cloneJson(old);
        change(draft, old);
        return draft;
      },
      allowCreate: false,
      tracked: false,
      keepsGeneration: true,
      prepare: () => {},
      validate: () => [],
      warnings: () => [],
    },
  );
  return item;
}

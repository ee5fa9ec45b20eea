import { type Draft, type KubeObject, newBadRequest } from '@orrery/apimachinery';
import type { ApiResult } from '../handler.ts';
import { decodeObject } from './decode-body.ts';
import { updateLoop } from './update-loop.ts';
import { rulesOf } from './update-plans.ts';
import type { WriteRequest } from './write-request.ts';

/** PUT of an object or of a part of it. */
export async function update(request: WriteRequest): Promise<ApiResult> {
  const { strategy } = request.endpoint.definition;
  const decoded = (): Draft<KubeObject> => {
    const draft = decodeObject(request);
    checkIdentity(request, draft);
    return draft;
  };
  let first: Draft<KubeObject> | undefined = decoded(); // A wrong body is told before a missing object.
  const { item, created } = await updateLoop(request, {
    ...rulesOf(request),
    produce() {
      const draft = first ?? decoded();
      first = undefined;
      return draft;
    },
    allowCreate: request.subresource === '' && strategy.allowCreateOnUpdate === true,
    tracked: false,
  });
  return { type: 'object', code: created ? 201 : 200, item, warnings: request.warnings };
}

/** The object must be the one that the URL names; an absent namespace is filled in. Source: handlers.checkName. */
export function checkIdentity({ name, namespace }: WriteRequest, { metadata }: Draft<KubeObject>): void {
  const own = metadata.name ?? '';
  if (own === '') throw newBadRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (own !== name) throw newBadRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
  if (namespace === undefined) {
    delete metadata.namespace;
    return;
  }
  const ownNamespace = metadata.namespace ?? '';
  if (ownNamespace !== '' && ownNamespace !== namespace) {
    throw newBadRequest(`the namespace of the object (${ownNamespace}) does not match the namespace on the request (${namespace})`);
  }
  metadata.namespace = namespace;
}

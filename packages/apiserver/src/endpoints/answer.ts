import { assert } from '@orrery/base';
import type { ApiResult } from '../handler.ts';
import { judge, mutate } from './admission-chain.ts';
import { refuse } from './create.ts';
import { decodeObject } from './decode-body.ts';
import type { WriteRequest } from './write-request.ts';

/** POST of a kind that is asked, not kept: decoded, admitted and validated as any other, then answered. */
export async function answer(request: WriteRequest, signal: AbortSignal): Promise<ApiResult> {
  const { definition } = request.endpoint;
  assert(definition.answer !== undefined, 'the kind is stored, not answered');
  const draft = decodeObject(request);
  draft.metadata ??= {} as typeof draft.metadata;
  if (definition.namespaced && request.namespace !== undefined) draft.metadata.namespace ??= request.namespace;
  definition.strategy.default?.(draft);
  await mutate(request, 'CREATE', draft, undefined);
  refuse(request, draft, definition.strategy.validate?.(draft, request.context) ?? []);
  await judge(request, 'CREATE', draft, undefined);
  const value = await definition.answer(draft, request.context, signal);
  return { type: 'value', code: 201, value, warnings: request.warnings };
}

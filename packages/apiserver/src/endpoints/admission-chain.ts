import type { Draft, KubeObject } from '@orrery/apimachinery';
import type { AdmissionAttributes } from '../admission.ts';
import { type WriteRequest, warn } from './write-request.ts';

type Operation = AdmissionAttributes['operation'];

/** What a plugin is told of a write. @param name - Differs from the request's in a collection, and on create. */
function attributesOf(request: WriteRequest, operation: Operation, name: string, old: KubeObject | undefined): AdmissionAttributes {
  const { endpoint, subresource, namespace, call, dryRun } = request;
  return {
    definition: endpoint.definition,
    operation,
    subresource,
    namespace,
    name,
    user: call.user,
    dryRun,
    old,
    warn: (text) => warn(request, text),
  };
}

/** Plugins that may change the draft, in order. @throws StatusError of the first that refuses. */
export async function mutate(
  request: WriteRequest,
  operation: Operation,
  draft: Draft<KubeObject> | undefined,
  old: KubeObject | undefined,
): Promise<void> {
  const { admission } = request.core;
  if (admission.length === 0) return;
  const attributes = attributesOf(request, operation, draft?.metadata.name ?? request.name, old);
  for (const plugin of admission) {
    const waiting = plugin.admit?.(draft, attributes);
    if (waiting !== undefined) await waiting;
  }
}

/** Plugins that judge the final object, in order. @throws StatusError of the first that refuses. */
export async function judge(
  request: WriteRequest,
  operation: Operation,
  object: KubeObject | undefined,
  old: KubeObject | undefined,
): Promise<void> {
  const { admission } = request.core;
  if (admission.length === 0) return;
  const attributes = attributesOf(request, operation, object?.metadata.name ?? old?.metadata.name ?? request.name, old);
  for (const plugin of admission) {
    const waiting = plugin.validate?.(object, attributes);
    if (waiting !== undefined) await waiting;
  }
}

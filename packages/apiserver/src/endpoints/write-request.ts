import { formatTime, type GroupResource } from '@orrery/apimachinery';
import type { StrategyContext } from '../definition.ts';
import type { ApiCall } from '../handler.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import type { ServerCore } from './server-core.ts';

/** One write on its way. Owned by the request; `warnings` grows. */
export interface WriteRequest {
  readonly core: ServerCore;
  readonly endpoint: ResourceEndpoint;
  readonly call: ApiCall;
  /** Empty for the main resource. */
  readonly subresource: string;
  /** Undefined for cluster-scoped resources. */
  readonly namespace: string | undefined;
  /** Empty on create. */
  readonly name: string;
  readonly dryRun: boolean;
  /** Name under which changed fields are owned. */
  readonly manager: string;
  readonly context: StrategyContext;
  readonly warnings: string[];
}

const managerBytesMax = 128;
const plain = /^[\x20-\x7e]{1,128}$/;

export function newWriteRequest(core: ServerCore, endpoint: ResourceEndpoint, call: ApiCall): WriteRequest {
  const dryRun = call.options?.dryRun ?? false;
  const namespace = endpoint.definition.namespaced ? call.namespace : undefined;
  return {
    core,
    endpoint,
    call,
    subresource: call.subresource ?? '',
    namespace,
    name: call.name ?? '',
    dryRun,
    manager: managerOf(call),
    context: { user: call.user, namespace, now: formatTime(core.clock.now()), dryRun },
    warnings: [],
  };
}

/** The given manager, or the first part of the user agent (`kubectl` of `kubectl/v1.35.0`). Source: managerOrUserAgent. */
function managerOf({ options, userAgent = '' }: ApiCall): string {
  const given = options?.fieldManager ?? '';
  if (given !== '') return given;
  const [program = ''] = userAgent.split('/', 1);
  return plain.test(program) ? program : program.replace(/[^\x20-\x7e]/g, '').slice(0, managerBytesMax) || 'unknown';
}

/** Adds a warning once. */
export function warn({ warnings }: WriteRequest, text: string): void {
  if (!warnings.includes(text)) warnings.push(text);
}

export const resourceOf = ({ endpoint }: WriteRequest): GroupResource => endpoint.groupResource;

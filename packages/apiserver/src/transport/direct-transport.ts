import type { KubeList, KubeObject, WatchEvent } from '@orrery/apimachinery';
import { StatusError } from '@orrery/apimachinery';
import type { ApiRequest, Transport } from '@orrery/client';
import type { UserInfo } from '../definition.ts';
import type { ApiCall, ApiResult, ResourceHandler } from '../handler.ts';

export interface DirectTransportOptions {
  /** Names the owner of changed fields where a request does not. @default the user's name */
  readonly userAgent?: string;
  /** Answers what is no resource call (`/version`, logs, discovery). Absent: 404. */
  readonly raw?: Transport['raw'];
  /** Absent: WebSockets are not to be had. */
  readonly upgrade?: Transport['upgrade'];
}

const never = new AbortController().signal;

/** A transport without HTTP: nothing is serialised or parsed, and the objects handed out are the server's own, shared and immutable. */
export function newDirectTransport(handler: ResourceHandler, user: UserInfo, options: DirectTransportOptions = {}): Transport {
  const userAgent = options.userAgent ?? user.username;
  const callOf = (request: ApiRequest): ApiCall => ({ ...request, body: request.body as ApiCall['body'], user, userAgent });
  const raw: Transport['raw'] = () => Promise.reject(new StatusError('NotFound', 'the server could not find the requested resource', {}));
  return {
    send: async (request, signal = never) => plain(await handler.handle(callOf(request), signal)),
    watch: (request, signal) => events(handler, callOf(request), signal),
    raw: options.raw ?? raw,
    ...(options.upgrade === undefined ? {} : { upgrade: options.upgrade }),
    close: () => Promise.resolve(),
  };
}

function plain(result: ApiResult): KubeObject | KubeList<KubeObject> {
  switch (result.type) {
    case 'object':
      return result.item.object;
    case 'value':
      return result.value as KubeObject;
    case 'list':
      return {
        kind: result.listKind,
        apiVersion: result.apiVersion,
        metadata: result.metadata,
        items: result.items.map(({ object }) => object),
      };
  }
}

/** Batches as they are: an event's `object` is read when the consumer reads it. */
async function* events(
  handler: ResourceHandler,
  call: ApiCall,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly WatchEvent<KubeObject>[], void, undefined> {
  const ends = new AbortController();
  const abort = (): void => ends.abort();
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  try {
    for await (const batch of handler.watch(call, ends.signal)) yield batch.map(({ type, item }) => ({ type, object: item.object }));
  } finally {
    signal?.removeEventListener('abort', abort);
    abort();
  }
}

import { isExpired, isStatusError, type KubeObject, type NamespacedName, type Resource } from '@orrery/apimachinery';
import { anySignal, type Clock, timeoutSignal } from '@orrery/base';
import type { Client } from '../client.ts';

export interface WaitOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Absent: waits until `signal` aborts. */
  readonly timeoutMs?: number;
}

/** Between two watches, so that a server that ends them at once is not hammered. */
const PAUSE_MS = 100;

/**
 * Waits until `predicate` holds for an object; it is asked about the current state and about every change.
 * @param predicate - Gets undefined while the object does not exist.
 * @returns What `predicate` accepted: undefined when it accepted absence.
 * A watch that breaks is started again.
 * @throws the signal's reason; a `TimeoutError` (DOMException) after `timeoutMs`; the server's StatusError when it refuses the request.
 */
export async function waitFor<T extends KubeObject>(
  client: Pick<Client, 'list' | 'watch'>,
  resource: Resource<T>,
  key: NamespacedName,
  predicate: (object: T | undefined) => boolean,
  options: WaitOptions,
): Promise<T | undefined> {
  const { clock, timeoutMs } = options;
  const message = `timed out after ${timeoutMs} ms waiting for ${resource.resource} "${key.name}"`;
  using timeout = timeoutMs === undefined ? undefined : timeoutSignal(clock, timeoutMs, message);
  using either = anySignal(options.signal, timeout?.signal);
  const { signal } = either;
  const scope = { namespace: key.namespace, fieldSelector: `metadata.name=${key.name}`, signal };
  for (;;) {
    const accepted = await untilAccepted(client, resource, scope, predicate);
    signal.throwIfAborted();
    if (accepted !== undefined) return accepted.object;
    await clock.sleep(PAUSE_MS, signal);
  }
}

/** One list and one watch. Undefined when the watch ended, or expired, before `predicate` held. */
async function untilAccepted<T extends KubeObject>(
  client: Pick<Client, 'list' | 'watch'>,
  resource: Resource<T>,
  scope: { readonly namespace: string | undefined; readonly fieldSelector: string; readonly signal: AbortSignal },
  predicate: (object: T | undefined) => boolean,
): Promise<{ readonly object: T | undefined } | undefined> {
  const { items, metadata } = await client.list(resource, scope);
  if (predicate(items[0])) return { object: items[0] };
  try {
    for await (const batch of client.watch(resource, { ...scope, resourceVersion: metadata.resourceVersion })) {
      for (const { type, object } of batch) {
        if (type === 'BOOKMARK') continue;
        const state = type === 'DELETED' ? undefined : object;
        if (predicate(state)) return { object: state };
      }
    }
  } catch (error) {
    // The list that follows shows what a broken watch missed, or why it cannot be had.
    if (!isExpired(error) && !(isStatusError(error) && error.code >= 500)) throw error;
  }
  return undefined;
}

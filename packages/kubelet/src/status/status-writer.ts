import { isDeepStrictEqual } from 'node:util';
import { pods } from '@orrery/api';
import type { Pod, PodStatus } from '@orrery/api/core/v1';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import { backoffDelayMs, type Clock, deferred, type Timer } from '@orrery/base';
import type { Client } from '@orrery/client';
import type { Logger } from '@orrery/component';
import { messageOf } from '../runtime/errors.ts';
import { statusPatch } from './status-patch.ts';

/** Writes pods' statuses to the API: one write at a time for a pod, always the newest, never twice the same. */
export interface StatusWriter {
  /** The status that was set last. */
  get(uid: string): PodStatus | undefined;
  /**
   * Sets the pod's status. Nothing is written when it is what was set before.
   * @param delayMs - Lets the write wait, for a status that is likely to be replaced at once. @default 0
   */
  set(pod: Pod, status: PodStatus, delayMs?: number): void;
  /** Resolves when everything set so far is written, or the pod is gone from the API. */
  flushed(uid: string): Promise<void>;
  forget(uid: string): void;
  /** Ends: what waits is dropped. */
  close(): void;
}

interface Entry {
  readonly pod: Pod;
  readonly status: PodStatus;
  /** What the API has, as far as this writer knows. */
  api: PodStatus;
  dirty: boolean;
  writing: boolean;
  gone: boolean;
  failures: number;
  timer: Timer | undefined;
  waiters: (() => void)[];
}

const retryPolicy = { baseDelayMs: 200, maxDelayMs: 10_000 };

export function newStatusWriter({
  client,
  clock,
  log,
}: {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}): StatusWriter {
  const entries = new Map<string, Entry>();
  let closed = false;

  function settle(entry: Entry): void {
    for (const resolve of entry.waiters.splice(0)) resolve();
  }

  async function send(uid: string, entry: Entry): Promise<void> {
    const { pod, status } = entry;
    const { name, namespace } = pod.metadata;
    const body = { metadata: { uid }, status: statusPatch(entry.api, status) };
    const written = await client.patch(pods, { namespace, name }, 'strategic', body, { subresource: 'status' });
    const current = entries.get(uid);
    if (current !== undefined) current.api = written.status ?? status;
  }

  async function write(uid: string): Promise<void> {
    const entry = entries.get(uid);
    if (entry === undefined || entry.writing || !entry.dirty || closed) return;
    entry.timer?.cancel();
    entry.timer = undefined;
    entry.writing = true;
    entry.dirty = false;
    let retryMs: number | undefined;
    try {
      await send(uid, entry);
      entry.failures = 0;
    } catch (err) {
      retryMs = failed(entry, err);
    }
    const current = entries.get(uid);
    if (current === undefined) return settle(entry);
    current.writing = false;
    if (retryMs !== undefined) schedule(uid, current, retryMs);
    else if (current.dirty) void write(uid);
    else settle(current);
  }

  /** Milliseconds until the next try; `undefined` when there is none. */
  function failed(entry: Entry, err: unknown): number | undefined {
    const { name, namespace, uid } = entry.pod.metadata;
    if (isNotFound(err) || isConflict(err)) {
      // Conflict: another pod has taken the name, as only the uid is a precondition.
      entry.gone = true;
      entry.dirty = false;
      return undefined;
    }
    log.warn('writing a pod status failed', { pod: `${namespace ?? ''}/${name}`, uid, error: messageOf(err) });
    const current = entries.get(uid);
    if (current === undefined) return undefined;
    current.dirty = true;
    current.failures = entry.failures + 1;
    return backoffDelayMs(current.failures, retryPolicy);
  }

  function schedule(uid: string, entry: Entry, delayMs: number): void {
    entry.timer?.cancel();
    entry.timer = clock.after(delayMs, () => void write(uid));
  }

  return {
    get: (uid) => entries.get(uid)?.status,
    set(pod, status, delayMs = 0) {
      const { uid } = pod.metadata;
      const before = entries.get(uid);
      if (before?.gone === true) return;
      if (before !== undefined && isDeepStrictEqual(before.status, status)) {
        if (before.dirty && delayMs === 0 && before.timer !== undefined && before.failures === 0) void write(uid);
        return;
      }
      if (before === undefined && isDeepStrictEqual(pod.status, status)) {
        entries.set(uid, fresh(pod, status, false));
        return;
      }
      before?.timer?.cancel();
      const entry: Entry =
        before === undefined ? fresh(pod, status, true) : Object.assign(before, { pod, status, dirty: true, timer: undefined });
      entries.set(uid, entry);
      if (delayMs > 0) schedule(uid, entry, delayMs);
      else void write(uid);
    },
    async flushed(uid) {
      const entry = entries.get(uid);
      if (entry === undefined || entry.gone || (!entry.dirty && !entry.writing) || closed) return;
      const done = deferred<void>();
      entry.waiters.push(() => done.resolve());
      if (entry.failures === 0) void write(uid);
      await done.promise;
    },
    forget(uid) {
      const entry = entries.get(uid);
      entry?.timer?.cancel();
      entries.delete(uid);
      if (entry !== undefined) settle(entry);
    },
    close() {
      closed = true;
      for (const entry of entries.values()) {
        entry.timer?.cancel();
        settle(entry);
      }
    },
  };
}

const fresh = (pod: Pod, status: PodStatus, dirty: boolean): Entry => ({
  pod,
  status,
  api: pod.status ?? {},
  dirty,
  writing: false,
  gone: false,
  failures: 0,
  timer: undefined,
  waiters: [],
});

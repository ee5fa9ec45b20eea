import type { Job } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import type { EventRecorder, Lister } from '@orrery/client';
import type { Expectations, ObjectControl } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import type { Backoff } from './backoff.ts';

/** What we did that the caches may not show yet. Everything is by the job's key. */
export interface JobMemory {
  readonly expectations: Expectations;
  /** Uids of pods whose finalizer was removed and that the cache still shows with it. */
  readonly released: Map<string, Set<string>>;
  readonly backoff: Map<string, Backoff>;
  /** The last status written: while the cache shows an older one, pods that are counted and released would be missed. */
  readonly written: Map<string, { readonly uid: string; readonly resourceVersion: bigint }>;
}

export interface JobDeps {
  readonly context: ControllerContext;
  readonly jobs: Lister<Job>;
  /** Has the index of `replicas/owner-index.ts`. */
  readonly pods: Lister<Pod>;
  readonly control: ObjectControl<Pod>;
  readonly recorder: EventRecorder;
  readonly memory: JobMemory;
}

/** One job in one reconcile. */
export interface JobPass {
  readonly deps: JobDeps;
  readonly key: string;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

export function forgetJob({ expectations, released, backoff, written }: JobMemory, key: string): void {
  expectations.forget(key);
  released.delete(key);
  backoff.delete(key);
  written.delete(key);
}

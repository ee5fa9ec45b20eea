import { type Clock, deferred, nextTurn } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { ProxyBackend, ProxyChanges } from './backend.ts';
import type { ServiceTracker } from './service-tracker.ts';

/** Between two writes: what changes meanwhile goes in one. The first change after a pause does not wait. */
const INTERVAL_MS_MIN = 50;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 30_000;

export interface SyncLoopOptions {
  readonly tracker: Pick<ServiceTracker, 'take' | 'all' | 'ports'>;
  readonly backend: ProxyBackend;
  readonly clock: Clock;
  readonly log: Logger;
  /** After each write that succeeded. */
  onSynced(changes: ProxyChanges): Promise<void>;
}

/** Carries changes to the backend, in batches; after a failure it writes everything anew. */
export class SyncLoop {
  readonly #options: SyncLoopOptions;
  #wake = deferred<void>();
  #full = true;

  constructor(options: SyncLoopOptions) {
    this.#options = options;
  }

  /** Something changed. */
  wake(): void {
    this.#wake.resolve();
  }

  /** What the backend holds is not to be trusted any more. */
  resync(): void {
    this.#full = true;
    this.wake();
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.wake();
    signal.addEventListener('abort', stop, { once: true });
    this.wake();
    let failures = 0;
    while (!signal.aborted) {
      await this.#wake.promise;
      await nextTurn(); // A burst of changes goes in one write.
      if (signal.aborted) break;
      this.#wake = deferred<void>();
      failures = (await this.#sync(signal)) ? 0 : failures + 1;
      const pause = failures === 0 ? INTERVAL_MS_MIN : Math.min(RETRY_MS_MIN * 2 ** (failures - 1), RETRY_MS_MAX);
      await this.#options.clock.sleep(pause, signal).catch(() => undefined); // Aborted: the loop sees it.
    }
    signal.removeEventListener('abort', stop);
  }

  async #sync(signal: AbortSignal): Promise<boolean> {
    const { tracker, backend, log, onSynced } = this.#options;
    const full = this.#full;
    const changed = tracker.take();
    const keys = full ? new Set([...tracker.all(), ...changed]) : changed;
    const changes: ProxyChanges = new Map([...keys].map((key) => [key, tracker.ports(key)]));
    this.#full = true; // Until this has succeeded.
    try {
      if (full) await backend.replaceAll(changes, signal);
      else await backend.change(changes, signal);
      this.#full = false;
      await onSynced(changes);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      log.warn('cannot program Services; everything is written anew', { error, full });
      this.resync();
      return false;
    }
  }
}

import { aborted, anySignal, assert, type Clock, type Random, sharedSignal, timeoutSignal, withJitter } from '@orrery/base';
import { type Logger, silentLogger } from '@orrery/component';
import type { Client } from '../client.ts';
import type { EventRecorder } from '../events/event-recorder.ts';
import { LeaseLock } from './lease-lock.ts';

export interface LeaderElectorOptions {
  readonly client: Pick<Client, 'get' | 'create' | 'update'>;
  /** The Lease that candidates compete for. */
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Differs between candidates and between runs of one: host name and a uuid. */
  readonly identity: string;
  readonly clock: Clock;
  /** Spreads candidates. Absent: exact values. */
  readonly random?: Random;
  /** How long others wait for a silent leader. Above `renewDeadlineMs`. @default 15_000 */
  readonly leaseDurationMs?: number;
  /** How long the leader tries to renew before it gives up. Above 1.2 `retryPeriodMs`. @default 10_000 */
  readonly renewDeadlineMs?: number;
  /** Between tries. @default 2_000 */
  readonly retryPeriodMs?: number;
  /** Told of every change of leader that is seen, the first one included. */
  readonly onNewLeader?: (identity: string) => void;
  readonly recorder?: EventRecorder;
  readonly log?: Logger;
}

export interface LeaderElector {
  /** Holder seen last; empty for none. Lags the truth. */
  readonly leader: string;
  readonly isLeader: boolean;
  /**
   * Campaigns; once elected, runs `lead` and keeps the lease. `lead` gets a signal that aborts with `signal`, or when the lease is lost; it
   * must then stop at once. The lease is released only after `lead` has settled.
   *
   * Settles as `lead` does; resolves without calling it when `signal` aborts first; rejects when the lease was lost.
   */
  run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

const JITTER = 1.2; // As upstream: candidates wait 1 to 2.2 retry periods.

/**
 * Election of one leader among processes, over a Lease. Trusts no clock but its own: a leader is taken for dead when its lease has not
 * changed for as long as the lease says, counted from when the change was seen. It cannot fence: for a moment after it has lost the lease
 * an old leader may still act, so what it does must be safe against that. Source: client-go leaderelection.
 */
export function newLeaderElector(options: LeaderElectorOptions): LeaderElector {
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000, identity } = options;
  assert(identity !== '', 'a candidate needs an identity');
  assert(leaseDurationMs > renewDeadlineMs, 'leaseDurationMs must be greater than renewDeadlineMs');
  assert(renewDeadlineMs > JITTER * retryPeriodMs, `renewDeadlineMs must be greater than ${JITTER} times retryPeriodMs`);
  return new Elector({ ...options, leaseDurationMs, renewDeadlineMs, retryPeriodMs });
}

type CompleteOptions = LeaderElectorOptions & Required<Pick<LeaderElectorOptions, 'leaseDurationMs' | 'renewDeadlineMs' | 'retryPeriodMs'>>;

class Elector implements LeaderElector {
  readonly #options: CompleteOptions;
  readonly #lock: LeaseLock;
  readonly #log: Logger;
  #reported = ''; // The leader that onNewLeader was told of last.

  constructor(options: CompleteOptions) {
    this.#options = options;
    this.#lock = new LeaseLock(options);
    this.#log = (options.log ?? silentLogger).with({ lease: `${options.lease.namespace}/${options.lease.name}` });
  }

  get leader(): string {
    return this.#lock.holder;
  }

  get isLeader(): boolean {
    return this.#lock.holder === this.#options.identity;
  }

  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (!(await this.#acquire(signal))) return;
    this.#announce('became leader');
    const term = new AbortController();
    using either = anySignal(signal, term.signal);
    const settled = new AbortController();
    const leading = lead(sharedSignal(either.signal)).finally(() => settled.abort());
    leading.catch(() => {}); // Awaited below, after the lease was seen to.
    const lost = await this.#keep(settled.signal);
    if (lost) term.abort(new Error('the lease was lost'));
    await aborted(settled.signal);
    if (!lost) await this.#release();
    this.#announce('stopped leading');
    await leading;
    if (lost) throw new Error(`leadership of ${this.#options.lease.namespace}/${this.#options.lease.name} was lost`);
  }

  /** Tries until elected. False: aborted. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random, retryPeriodMs, renewDeadlineMs } = this.#options;
    while (!signal.aborted) {
      if (await this.#try(renewDeadlineMs, signal)) return true;
      const delayMs = random === undefined ? retryPeriodMs : withJitter(retryPeriodMs, JITTER, random);
      await clock.sleep(delayMs, signal).catch(() => {}); // Aborted: the loop ends.
    }
    return false;
  }

  /** Renews until `settled` aborts. True: the lease could not be renewed for as long as allowed. */
  async #keep(settled: AbortSignal): Promise<boolean> {
    const { clock, retryPeriodMs, renewDeadlineMs } = this.#options;
    let failingUntilMs: number | undefined; // While renewals fail: when to give up.
    while (!settled.aborted) {
      const leftMs = failingUntilMs === undefined ? renewDeadlineMs : failingUntilMs - clock.monotonicMs();
      if (leftMs <= 0) return true;
      await clock.sleep(Math.min(retryPeriodMs, leftMs), settled).catch(() => {}); // Aborted: the loop ends.
      if (settled.aborted) return false;
      const startMs = clock.monotonicMs();
      const timeoutMs = (failingUntilMs ?? startMs + renewDeadlineMs) - startMs;
      if (timeoutMs > 0 && (await this.#try(timeoutMs, settled))) failingUntilMs = undefined;
      else failingUntilMs ??= startMs + renewDeadlineMs;
    }
    return false;
  }

  /** One attempt to take or renew the lease. Never rejects. */
  async #try(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    using timeout = timeoutSignal(this.#options.clock, timeoutMs);
    using either = anySignal(signal, timeout.signal);
    try {
      return await this.#lock.acquireOrRenew(either.signal);
    } catch (error) {
      if (!signal.aborted) this.#log.warn('the lease could not be taken or renewed', { error });
      return false;
    } finally {
      this.#report();
    }
  }

  async #release(): Promise<void> {
    const { clock, renewDeadlineMs } = this.#options;
    using timeout = timeoutSignal(clock, renewDeadlineMs);
    try {
      await this.#lock.release(timeout.signal);
    } catch (error) {
      this.#log.warn('the lease could not be released; it expires by itself', { error });
    }
    this.#report();
  }

  #report(): void {
    if (this.#lock.holder === this.#reported) return;
    this.#reported = this.#lock.holder;
    if (this.#reported !== '') this.#options.onNewLeader?.(this.#reported);
  }

  #announce(what: string): void {
    const { identity, recorder, lease } = this.#options;
    this.#log.info(what, { identity });
    const regarding = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: lease.namespace, name: lease.name };
    recorder?.event(regarding, 'Normal', 'LeaderElection', `${identity} ${what}`);
  }
}

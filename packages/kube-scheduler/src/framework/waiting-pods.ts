import type { Clock } from '@orrery/base';
import type { PodInfo } from '../cache/pod-info.ts';
import { type Status, unschedulable } from './status.ts';

/** A pod that a permit plugin holds back before it is bound. */
export interface WaitingPod {
  readonly info: PodInfo;
  readonly nodeName: string;
  /** Plugins that have not allowed it yet. */
  readonly pending: ReadonlySet<string>;
  allow(plugin: string): void;
  reject(plugin: string, message: string): void;
}

export interface Rejection {
  readonly plugin: string;
  readonly status: Status;
}

/** Source: maxTimeout of the framework's runtime. */
const TIMEOUT_MS_MAX = 15 * 60_000;

/** Pods between permit and bind. */
export class WaitingPods {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, WaitingPod>(); // By uid.

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(uid: string): WaitingPod | undefined {
    return this.#waiting.get(uid);
  }

  all(): readonly WaitingPod[] {
    return [...this.#waiting.values()];
  }

  /** Resolves when every plugin allowed the pod (undefined), or with the first rejection. @param timeouts - Milliseconds by plugin. */
  wait(info: PodInfo, nodeName: string, timeouts: ReadonlyMap<string, number>): Promise<Rejection | undefined> {
    return new Promise((resolve) => {
      const pending = new Set(timeouts.keys());
      const timers = [...timeouts].map(([plugin, timeoutMs]) =>
        this.#clock.after(Math.min(timeoutMs, TIMEOUT_MS_MAX), () =>
          settle({ plugin, status: unschedulable(`rejected due to timeout after waiting ${timeoutMs / 1000}s at plugin ${plugin}`) }),
        ),
      );
      const settle = (rejection: Rejection | undefined): void => {
        for (const timer of timers) timer.cancel();
        this.#waiting.delete(info.uid);
        resolve(rejection);
      };
      this.#waiting.set(info.uid, {
        info,
        nodeName,
        pending,
        allow(plugin) {
          pending.delete(plugin);
          if (pending.size === 0) settle(undefined);
        },
        reject: (plugin, message) => settle({ plugin, status: unschedulable(message) }),
      });
    });
  }
}

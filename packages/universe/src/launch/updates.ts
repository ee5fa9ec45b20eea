import type { Pod } from '@orrery/api/core/v1';
import type { Transport } from '@orrery/client';
import { sendCode } from '../exec/send-code.ts';
import type { Payload } from '../plan/payload.ts';
import type { Narrator } from './narrator.ts';

/** Brings newer code into the pods of a watched run. */
export interface Updates {
  /** A pod as it is now: one that begins later than the last change gets the newest code. */
  see(pod: Pod): void;
  forget(pod: Pod): void;
  /** Brings code into every pod that runs. @returns how many run it */
  push(payload: Payload): Promise<number>;
}

interface UpdatesOptions {
  readonly transport: Transport;
  readonly signal: AbortSignal;
  readonly narrator: Narrator;
}

interface Known {
  readonly pod: Pod;
  /** What was sent last. A container that starts again finds it. */
  readonly hash: string | undefined;
}

const runs = ({ status }: Pod): boolean =>
  status?.containerStatuses?.some(({ name, state }) => name === 'program' && state?.running !== undefined) === true;

export function newUpdates({ transport, signal, narrator }: UpdatesOptions): Updates {
  const known = new Map<string, Known>(); // By uid: pods whose program runs.
  let newest: Payload | undefined;

  async function send(pod: Pod, { packed, hash, entry }: Payload): Promise<boolean> {
    const { namespace = '', name, uid } = pod.metadata;
    known.set(uid, { pod, hash });
    try {
      await sendCode({ transport, namespace, pod: name, container: 'program', code: packed, update: { hash, entry }, signal });
      return true;
    } catch (error) {
      if (!signal.aborted && known.has(uid)) narrator.problem(name, error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  return {
    see(pod) {
      const { uid } = pod.metadata;
      if (!runs(pod)) return;
      const before = known.get(uid);
      known.set(uid, { pod, hash: before?.hash });
      if (before === undefined && newest !== undefined) void send(pod, newest);
    },
    forget(pod) {
      known.delete(pod.metadata.uid);
    },
    async push(payload) {
      newest = payload;
      const behind = [...known.values()].filter(({ pod, hash }) => hash !== payload.hash && pod.metadata.deletionTimestamp === undefined);
      const sent = await Promise.all(behind.map(({ pod }) => send(pod, payload)));
      return sent.filter(Boolean).length;
    },
  };
}

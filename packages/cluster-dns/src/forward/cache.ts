import type { Clock } from '@orrery/base';
import type { ForeignAnswer } from './foreign-answer.ts';

/** Answers of other servers, kept for a while. */
export interface AnswerCache {
  get(key: string): { readonly answer: ForeignAnswer; readonly secondsLeft: number } | undefined;
  put(key: string, answer: ForeignAnswer): void;
}

/** As CoreDNS's `cache 30`: no answer is kept longer. */
export const KEEP_SECONDS_MAX = 30;
/** A bound for hostile names; a cluster of ordinary size asks for some hundred. */
const BYTES_MAX = 8 * 1024 * 1024;
/** What an entry costs beside its packet. */
const ENTRY_BYTES = 512;

export function newAnswerCache(clock: Clock, bytesMax = BYTES_MAX): AnswerCache {
  /** In the order of their coming, so that the oldest goes first. */
  const entries = new Map<string, { readonly answer: ForeignAnswer; readonly untilMs: number }>();
  let bytes = 0;
  const remove = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    bytes -= entry.answer.packet.length + ENTRY_BYTES;
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      const leftMs = entry.untilMs - clock.monotonicMs();
      if (leftMs > 0) return { answer: entry.answer, secondsLeft: Math.ceil(leftMs / 1000) };
      remove(key);
      return undefined;
    },
    put(key, answer) {
      remove(key);
      const seconds = Math.min(answer.keepSeconds, KEEP_SECONDS_MAX);
      if (seconds <= 0) return;
      entries.set(key, { answer, untilMs: clock.monotonicMs() + seconds * 1000 });
      bytes += answer.packet.length + ENTRY_BYTES;
      for (const oldest of entries.keys()) {
        if (bytes <= bytesMax) break;
        remove(oldest);
      }
    },
  };
}

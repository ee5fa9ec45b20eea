import { createHash } from 'node:crypto';
import type { Clock } from '@orrery/base';

/** Answers by question, each kept for a while. Failures are not kept. Questions are secrets: only their digests are held. */
export interface KeptAnswers<T> {
  get(question: string, ask: () => Promise<T>): Promise<T>;
}

const ANSWERS_MAX = 1000;

/** @param lifeMs - How long an answer holds. */
export function newKeptAnswers<T>(clock: Clock, lifeMs: (answer: T) => number): KeptAnswers<T> {
  const kept = new Map<string, { readonly answer: T; readonly untilMs: number }>(); // Oldest first.
  return {
    async get(question, ask) {
      const key = createHash('sha256').update(question).digest('base64');
      const found = kept.get(key);
      if (found !== undefined && found.untilMs > clock.monotonicMs()) return found.answer;
      const answer = await ask();
      kept.delete(key);
      kept.set(key, { answer, untilMs: clock.monotonicMs() + lifeMs(answer) });
      for (const oldest of kept.keys()) {
        if (kept.size <= ANSWERS_MAX) break;
        kept.delete(oldest);
      }
      return answer;
    },
  };
}

import type { Pod } from '@orrery/api/core/v1';
import type { Clock } from '@orrery/base';
import { type Client, isPodTerminal } from '@orrery/client';
import { newLineFilter } from './line-filter.ts';

export interface PodLogs {
  /** Tells of a pod's present state: its log begins with its first container. */
  see(pod: Pod): void;
  /** The pod is gone. */
  forget(pod: Pod): void;
  /** Resolves when every log of a pod that is over has been read to its end. */
  drained(): Promise<void>;
}

interface PodLogsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onLine: (pod: string, text: string) => void;
}

interface Followed {
  pod: Pod;
  gone: boolean;
}

const POLL_MS = 200;

const statusOf = (pod: Pod) => pod.status?.containerStatuses?.find(({ name }) => name === 'program');
/** Changes with every start and end of the container. */
const stateOf = (pod: Pod): string => {
  const { containerID = '', state } = statusOf(pod) ?? {};
  return `${containerID} ${state?.running?.startedAt ?? ''} ${state?.terminated?.finishedAt ?? ''}`;
};
const isOver = ({ pod, gone }: Followed): boolean => gone || isPodTerminal(pod);

/** Every line that the program of each pod says, from the first on, each once: over restarts of it and lost connections. */
export function newPodLogs({ client, clock, signal, onLine }: PodLogsOptions): PodLogs {
  const followed = new Map<string, Followed>(); // By uid.
  const reading = new Set<Promise<void>>();

  async function read({ pod: { metadata } }: Followed, query: string, pass: (line: string) => void): Promise<boolean> {
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/log?container=program&timestamps=true${query}`;
    try {
      const { status, body } = await client.raw({ path }, signal);
      for await (const line of linesOf(body)) if (status === 200) pass(line);
      return status === 200;
    } catch {
      return false; // Asked again, unless the pod is gone.
    }
  }

  async function follow(one: Followed): Promise<void> {
    const filter = newLineFilter();
    const pass = (line: string): void => {
      const text = filter.pass(line);
      if (text !== undefined) onLine(one.pod.metadata.name, text);
    };
    let restarts = statusOf(one.pod)?.restartCount ?? 0;
    while (!signal.aborted) {
      const [before, over] = [stateOf(one.pod), isOver(one)];
      const since = filter.sinceTime() === undefined ? '' : `&sinceTime=${encodeURIComponent(filter.sinceTime() ?? '')}`;
      const now = statusOf(one.pod)?.restartCount ?? 0;
      filter.again();
      if (now > restarts && (await read(one, `&previous=true${since}`, pass))) filter.again();
      restarts = now;
      const whole = await read(one, `&follow=true${since}`, pass);
      if (over && (whole || one.gone)) return;
      // What has ended says no more before it starts again.
      const settled = (): boolean =>
        whole && stateOf(one.pod) === before && statusOf(one.pod)?.state?.running === undefined && !isOver(one);
      do await clock.sleep(POLL_MS, signal);
      while (settled());
    }
  }

  return {
    see(pod) {
      const known = followed.get(pod.metadata.uid);
      if (known !== undefined) known.pod = pod;
      else if (statusOf(pod)?.containerID !== undefined) {
        const one = { pod, gone: false };
        followed.set(pod.metadata.uid, one);
        const work = follow(one).catch(() => undefined); // Aborted while it slept.
        reading.add(work);
        void work.then(() => reading.delete(work));
      }
    },
    forget(pod) {
      const known = followed.get(pod.metadata.uid);
      if (known !== undefined) known.gone = true;
    },
    async drained() {
      await Promise.all(reading);
    },
  };
}

/** Lines of UTF-8 text; a last one without its end too. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

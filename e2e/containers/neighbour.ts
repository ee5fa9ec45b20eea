import { expect } from 'vitest';
import { type Json, type Suite, shellPod } from './fixture.ts';

/** A pod that serves, and somebody who asks it all the time. */
export interface Neighbour {
  /** Throws unless every answer so far was right, there were new ones since the last look, and its container is still the first. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

const PERIOD_MS = 250;

/** Starts a pod `neighbour` and asks it through the API server from then on. */
export async function startNeighbour({ create, ready, get, ask }: Suite): Promise<Neighbour> {
  await create(shellPod('neighbour', 'echo here > /tmp/index.html; httpd -f -p 8080 -h /tmp', { spec: { restartPolicy: 'Always' } }));
  await ready('neighbour');
  const containerOf = async (): Promise<Json | undefined> => {
    const { status } = await get<{ readonly status: { readonly containerStatuses: readonly Json[] } }>('pods/neighbour');
    return status.containerStatuses[0];
  };
  const first = await containerOf();
  const wrong: string[] = [];
  let answers = 0;
  let stopped = false;
  const asking = (async () => {
    while (!stopped) {
      const answer = await ask('pods/neighbour:8080/proxy/').catch((err: unknown) => ({ status: 0, body: String(err) }));
      if (answer.status === 200 && `${answer.body}` === 'here\n') answers += 1;
      else wrong.push(`${answer.status} ${answer.body}`);
      await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
    }
  })();
  return {
    async look() {
      const before = answers;
      while (answers === before && wrong.length === 0) await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
      expect(wrong).toEqual([]);
      expect(await containerOf()).toMatchObject({ containerID: `${first?.['containerID']}`, restartCount: 0, ready: true });
    },
    async stop() {
      stopped = true;
      await asking;
    },
  };
}

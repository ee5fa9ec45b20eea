import { jobs, namespaces, pods } from '@orrery/api';
import { formatTime, newConflict } from '@orrery/apimachinery';
import { newSeededRandom, newVirtualClock } from '@orrery/base';
import { type Client, isPodActive, newClient, newInformerFactory } from '@orrery/client';
import { newControllerManager } from '@orrery/kube-controller-manager';
import { expect, test } from 'vitest';
import { startCluster } from './index.ts';

const COMPLETIONS = 12;

/** Some writes of the controller fail: before they are made, or after, so that nobody learns that they were. */
function unreliable(client: Client, chance: () => number): Client {
  const maybe = async <T>(write: () => Promise<T>): Promise<T> => {
    const luck = chance();
    if (luck < 0.1) throw newConflict(jobs, 'lost', 'the request was lost');
    const answer = await write();
    if (luck > 0.9) throw newConflict(jobs, 'lost', 'the answer was lost');
    return answer;
  };
  return {
    ...client,
    create: (resource, object, options) => maybe(() => client.create(resource, object, options)),
    updateStatus: (resource, object, options) => maybe(() => client.updateStatus(resource, object, options)),
    patch: (resource, key, type, body, options) => maybe(() => client.patch(resource, key, type, body, options)),
    delete: (resource, key, options) => maybe(() => client.delete(resource, key, options)),
  };
}

test.each([1, 2, 3, 4])('seed %i: every end is counted once, whenever the controller dies and whatever gets lost', async (seed) => {
  const clock = newVirtualClock();
  const random = newSeededRandom(seed);
  const cluster = await clock.runFor(startCluster({ clock, seed, scheduler: false, controllers: false }));
  const { client } = cluster;
  const turns = async (count = 40): Promise<void> => {
    for (let turn = 0; turn < count; turn += 1) await clock.advance(0);
  };
  const startController = () => {
    const stop = new AbortController();
    const own = unreliable(newClient(client.transport), () => random.float());
    const informers = newInformerFactory(client, { clock });
    const manager = newControllerManager({
      client: own,
      informers,
      clock,
      random,
      controllers: ['job-controller', 'serviceaccount-controller'],
    });
    const running = Promise.all([manager.run(stop.signal), informers.run(stop.signal)]);
    return async () => {
      stop.abort();
      await clock.runFor(running);
    };
  };
  let stop = startController();
  await client.create(namespaces, { metadata: { name: 'ns' }, spec: {} });
  await clock.advance(5000);
  await client.create(jobs, {
    metadata: { name: 'job', namespace: 'ns' },
    spec: {
      completions: COMPLETIONS,
      parallelism: 4,
      backoffLimit: 1000,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
    },
  });
  const get = () => client.get(jobs, { namespace: 'ns', name: 'job' });
  const ended = { Succeeded: 0, Failed: 0 };
  for (let step = 0; step < 400 && (await get()).status.completionTime === undefined; step += 1) {
    const active = (await client.list(pods, { namespace: 'ns' })).items.filter(isPodActive);
    const pod = active[Math.floor(random.float() * active.length)];
    if (pod !== undefined && random.float() < 0.7) {
      const phase = random.float() < 0.3 ? 'Failed' : 'Succeeded';
      const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: formatTime(clock.now()) }];
      await client.updateStatus(pods, { ...pod, status: { ...pod.status, phase, conditions } });
      ended[phase] += 1;
    }
    await turns(Math.floor(random.float() * 12)); // The controller is somewhere in the middle.
    if (random.float() < 0.25) {
      await stop();
      stop = startController();
    }
    if (random.float() < 0.5) await clock.advance(random.float() * 60_000);
  }
  await turns();
  const { status } = await get();
  expect(status.conditions?.map(({ type }) => type)).toEqual(['SuccessCriteriaMet', 'Complete']);
  expect({ Succeeded: status.succeeded ?? 0, Failed: status.failed ?? 0 }).toEqual(ended);
  expect(status.uncountedTerminatedPods).toEqual({});
  const left = (await client.list(pods, { namespace: 'ns' })).items;
  expect(left.filter(({ metadata }) => metadata.finalizers !== undefined)).toEqual([]);
  await stop();
  await clock.runFor(cluster.dispose());
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { ask, helloUniverse, type Launcher, launchProgram, objectsIn, urlOf } from './launcher.ts';

const minutes = { timeout: 180_000 };

describe('a program on two clusters', () => {
  let [east, west]: [TestCluster | undefined, TestCluster | undefined] = [undefined, undefined];
  let kubeconfig = '';
  const [there, here] = [() => some(west), () => some(east)];
  const started: Launcher[] = [];

  beforeAll(async () => {
    [east, west] = await Promise.all([startTestCluster(), startTestCluster()]);
    kubeconfig = join(east.home, 'both.kubeconfig');
    await writeFile(kubeconfig, JSON.stringify(await merged({ east, west })), { mode: 0o600 });
  });
  afterAll(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await Promise.all([east?.dispose(), west?.dispose()]);
  });

  const newNamespace = async (): Promise<string> => {
    const name = `both-${Date.now().toString(36)}`;
    for (const { kubectl } of [here(), there()]) {
      await kubectl(['create', 'namespace', name]);
      await eventually(() => kubectl(['get', 'serviceaccount', 'default', '-n', name]));
    }
    return name;
  };
  const start = (namespace: string, clusters: string, replicas: number): Launcher => {
    const args = ['--kubernetes', `--namespace=${namespace}`, '--port=0:8080', `--clusters=${clusters}`, `--replicas=${replicas}`];
    const launcher = launchProgram(here(), helloUniverse, args, { kubeconfig });
    started.push(launcher);
    return launcher;
  };
  const podsOf = async ({ kubectl }: TestCluster, namespace: string): Promise<readonly string[]> =>
    (await kubectl(['get', 'pods', '-n', namespace, '-o', 'name'])).split('\n').filter((name) => name !== '');
  const answersOf = async (url: string, times: number): Promise<ReadonlySet<string>> => {
    const answers = new Set<string>();
    for (let i = 0; i < times; i += 1) answers.add(await ask(url));
    return answers;
  };

  test('a cluster that is down at the start is named; the others take its pods', minutes, async () => {
    const namespace = await newNamespace();
    const launcher = start(namespace, 'east,nobody', 2);
    const url = await urlOf(launcher);
    expect(launcher.stderr()).toMatch(/^! nobody: it does not answer: .*; the others take its pods$/m);
    expect(await podsOf(here(), namespace)).toHaveLength(2);
    expect(await ask(url)).toMatch(/^Hello, universe!/);
    launcher.child.kill('SIGINT');
    expect(await launcher.ended).toBe(130);
    expect(await objectsIn(here(), namespace)).toEqual([]);
  });

  test(
    'split by weight, one URL, one log; one is stopped in the middle: the rest goes on, and nothing stays in either',
    minutes,
    async () => {
      const namespace = await newNamespace();
      const launcher = start(namespace, 'east=2,west', 3);
      const url = await urlOf(launcher);
      expect([(await podsOf(here(), namespace)).length, (await podsOf(there(), namespace)).length]).toEqual([2, 1]);
      expect((await answersOf(url, 12)).size).toBe(3);
      await eventually(() => {
        for (const cluster of ['east', 'west']) expect(launcher.stdout()).toMatch(new RegExp(`^${cluster} \\w{5} \\| GET /`, 'm'));
      });
      const stopped = await there().orrery(['down']);
      expect(stopped.code, stopped.stderr).toBe(0);
      await eventually(() => expect(launcher.stderr()).toMatch(/^! west: it does not answer: .*; the others go on$/m), 30_000);
      expect((await answersOf(url, 6)).size).toBe(2);
      launcher.child.kill('SIGINT');
      expect(await launcher.ended).toBe(130);
      expect(launcher.stderr()).toMatch(/^! west: it could not be asked to clean up: /m);
      expect(launcher.stderr().match(/^! west: it does not answer/gm)).toHaveLength(1);
      expect(await objectsIn(here(), namespace)).toEqual([]);
      const again = await there().orrery(['up', '-d', '--runtime=process']);
      expect(again.code, again.stderr).toBe(0);
      await eventually(async () => expect(await objectsIn(there(), namespace)).toEqual([]), 60_000);
    },
  );
});

function some<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it has not been started');
  return value;
}

interface Config {
  readonly clusters: readonly { readonly cluster: object }[];
  readonly users: readonly { readonly user: object }[];
}

/** One kubeconfig with a context for each cluster, and `nobody`, where nobody listens. */
async function merged(clusters: Readonly<Record<string, TestCluster>>): Promise<object> {
  const parts = await Promise.all(
    Object.entries(clusters).map(async ([name, { kubectl, kubeconfig }]) => {
      const view = JSON.parse(await kubectl(['config', 'view', '--raw', '-o', 'json', '--kubeconfig', kubeconfig])) as Config;
      return { name, cluster: view.clusters[0]?.cluster ?? {}, user: view.users[0]?.user ?? {} };
    }),
  );
  const all = [...parts, { name: 'nobody', cluster: { server: 'https://127.0.0.1:1' }, user: { token: 'none' } }];
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: all.map(({ name, cluster }) => ({ name, cluster })),
    users: all.map(({ name, user }) => ({ name, user })),
    contexts: all.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
    'current-context': 'east',
  };
}

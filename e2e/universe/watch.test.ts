import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { ask, type Launcher, launchProgram, objectsIn, urlOf } from './launcher.ts';
import { writeProgram } from './suite.ts';

const program = `import { createServer } from 'node:http';
import { universe } from '@orrery/universe';
import { greet } from './greet.mjs';
await universe({ name: 'watched', ports: [8080] });
createServer((request, response) => response.end(greet() + ' from ' + process.env.POD_NAME)).listen(8080);
`;

describe('the inner loop: --watch', () => {
  let cluster: TestCluster;
  let launcher: Launcher | undefined;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(async () => {
    launcher?.child.kill('SIGKILL');
    await cluster.dispose();
  });

  test('a saved file runs in the same pods; mistakes are shown, and mended by the next save', { timeout: 180_000 }, async () => {
    const namespace = `watch-${Date.now().toString(36)}`;
    await cluster.kubectl(['create', 'namespace', namespace]);
    await eventually(() => cluster.kubectl(['get', 'serviceaccount', 'default', '-n', namespace]));
    const entry = await writeProgram(cluster.home, 'app.mjs', program);
    const save = (text: string): Promise<void> => writeFile(join(dirname(entry), 'greet.mjs'), text);
    await save("export const greet = () => 'one';\n");
    const started = launchProgram(cluster, entry, ['--kubernetes', `--namespace=${namespace}`, '--port=0:8080', '--watch', '--replicas=2']);
    launcher = started;
    const url = await urlOf(started);
    const answers = async (): Promise<readonly string[]> =>
      [...new Set([await ask(url), await ask(url), await ask(url), await ask(url)])].sort();
    const said = (pattern: RegExp): Promise<void> => eventually(() => expect(started.stderr()).toMatch(pattern), 60_000);
    const before = await answers();
    expect(before.map((answer) => answer.split(' ')[0])).toEqual(['one', 'one']);

    await save("export const greet = () => 'two';\n");
    await said(/^greet\.mjs changed: 2 pods run the new code after \d+\.\d s$/m);
    const two = before.map((answer) => answer.replace('one', 'two'));
    await eventually(async () => expect(await answers()).toEqual(two), 30_000);

    await save("export const greet = () => 'two;\n");
    await said(/^! app\.mjs cannot be packed:\ngreet\.mjs:1:\d+: /m);
    expect(await answers()).toEqual(two);

    await save("\n\nexport const greet = () => 'never';\nthrow new Error('broken on purpose');\n");
    // The stack names the file as it was written, not the bundle.
    await eventually(() => expect(started.stdout()).toMatch(/greet\.mjs:4:\d+/), 60_000);
    await eventually(() => expect(started.stdout().match(/it starts again when a file changes/g)).toHaveLength(2), 60_000);

    await save("export const greet = () => 'three';\n");
    const three = before.map((answer) => answer.replace('one', 'three'));
    await eventually(async () => expect(await answers()).toEqual(three), 60_000);
    const restarts = await cluster.kubectl([
      'get',
      'pods',
      '-n',
      namespace,
      '-o',
      'jsonpath={.items[*].status.containerStatuses[*].restartCount}',
    ]);
    expect(restarts).toBe('0 0');

    await cluster.kubectl(['delete', 'pods', '-n', namespace, '-l', 'app.kubernetes.io/component=program', '--now']);
    await eventually(async () => {
      const now = await answers();
      expect(now.filter((answer) => answer.startsWith('three'))).toHaveLength(2);
      expect(now.filter((answer) => three.includes(answer))).toEqual([]);
    }, 60_000);

    started.child.kill('SIGINT');
    expect(await started.ended).toBe(130);
    expect(await objectsIn(cluster, namespace)).toEqual([]);
  });
});

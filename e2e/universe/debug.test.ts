import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startBrowser } from '../dashboard/browser.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { ask, helloUniverse, type Launcher, launchProgram, objectsIn, urlOf } from './launcher.ts';

const minutes = { timeout: 180_000 };

describe('looking into a program that runs in a cluster', () => {
  let cluster: TestCluster;
  const started: Launcher[] = [];
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await cluster.dispose();
  });

  const start = async (...args: readonly string[]): Promise<{ readonly namespace: string; readonly launcher: Launcher }> => {
    const namespace = `look-${Date.now().toString(36)}`;
    await cluster.kubectl(['create', 'namespace', namespace]);
    await eventually(() => cluster.kubectl(['get', 'serviceaccount', 'default', '-n', namespace]));
    const launcher = launchProgram(cluster, helloUniverse, ['--kubernetes', `--namespace=${namespace}`, '--port=0:8080', ...args]);
    started.push(launcher);
    return { namespace, launcher };
  };
  const printed = (launcher: Launcher, pattern: RegExp): Promise<string> =>
    eventually(() => {
      const found = pattern.exec(launcher.stderr())?.[1];
      if (found === undefined) throw new Error(`not printed so far:\n${launcher.stderr()}`);
      return found;
    }, 60_000);

  test('--inspect: a debugger of this machine evaluates in one pod', minutes, async () => {
    const { namespace, launcher } = await start('--inspect', '--replicas=2');
    await urlOf(launcher);
    const pod = await printed(launcher, /^debugger of (\S+): /m);
    const address = await printed(launcher, /^debugger of \S+: (localhost:\d+) /m);
    for (let i = 0; i < 3; i += 1) {
      const [target] = JSON.parse(await ask(`http://${address}/json/list`)) as readonly { readonly webSocketDebuggerUrl: string }[];
      expect(await evaluate(target?.webSocketDebuggerUrl ?? '', 'process.env.POD_NAME')).toBe(pod);
    }
    launcher.child.kill('SIGINT');
    expect(await launcher.ended).toBe(130);
    expect(await objectsIn(cluster, namespace)).toEqual([]);
  });

  test('--dashboard: its address is printed, and the page is there while the program runs', minutes, async () => {
    const { namespace, launcher } = await start('--dashboard');
    const page = await printed(launcher, /^dashboard: (http:\/\/127\.0\.0\.1:\d+\/)/m);
    await urlOf(launcher);
    expect(await ask(page)).toMatch(/<html/i);
    launcher.child.kill('SIGINT');
    expect(await launcher.ended).toBe(130);
    await expect(ask(page)).rejects.toThrow(/ECONNREFUSED/);
    expect(await objectsIn(cluster, namespace)).toEqual([]);
  });

  test('"Stop" on the dashboard ends the program and leaves nothing', minutes, async () => {
    const { namespace, launcher } = await start('--dashboard', '--replicas=2');
    const url = await printed(launcher, /^dashboard: (http:\S+)$/m);
    await urlOf(launcher);
    const browser = await startBrowser();
    try {
      const page = await browser.context.newPage();
      await page.goto(url);
      await page.getByRole('button', { name: 'Stop', exact: true }).click();
      await page.getByRole('button', { name: 'Really stop all of it?' }).click();
      expect(await launcher.ended, launcher.stderr()).toBe(0);
    } finally {
      await browser.close();
    }
    expect(await objectsIn(cluster, namespace)).toEqual([]);
  });
});

/** Asks over the DevTools protocol. */
function evaluate(url: string, expression: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.once('open', () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } })));
    socket.once('message', (text: Buffer) => {
      socket.close();
      const { result } = JSON.parse(text.toString()) as { readonly result: { readonly result: { readonly value?: unknown } } };
      resolve(result.result.value);
    });
    socket.once('error', reject);
  });
}

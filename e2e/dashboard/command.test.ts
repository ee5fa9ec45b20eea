import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orreryProgram, startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const LIMIT_MS = 120_000;

let cluster: TestCluster;
let dashboard: ChildProcess;
let output = '';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'ticking', namespace: 'default' },
  spec: {
    containers: [{ name: 'main', image: 'any', command: ['/bin/sh', '-c', 'while :; do echo tick; sleep 1; done'] }],
    terminationGracePeriodSeconds: 0,
  },
};

beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(pod) });
  dashboard = spawn(process.execPath, [orreryProgram, 'dashboard', '--no-open'], {
    env: { ...cluster.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [dashboard.stdout, dashboard.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
}, LIMIT_MS);
afterAll(async () => {
  dashboard?.kill('SIGKILL');
  await cluster?.dispose();
});

/** What the page reads, until `enough` of it has come. */
async function read(path: string, headers: Record<string, string>, enough: (text: string) => boolean): Promise<string> {
  const abort = new AbortController();
  const response = await fetch(path, { headers, signal: abort.signal });
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (enough(text)) break;
  }
  abort.abort();
  return text;
}

test('orrery dashboard shows a real pod, what it uses and its log; Ctrl+C ends it', { timeout: LIMIT_MS }, async () => {
  const url = await eventually(() => {
    const found = /^http:\/\/127\.0\.0\.1:\d+\/#\S{40,}$/m.exec(output)?.[0];
    if (found === undefined) throw new Error(`no address in: ${output}`);
    return found;
  });
  const [origin = '', token = ''] = url.split('/#');
  expect(await (await fetch(`${origin}/`)).text()).toContain('<div id="app">');
  const entered = await fetch(`${origin}/api/enter`, { method: 'POST', headers: { origin }, body: token });
  const { key } = (await entered.json()) as { key: string };
  const headers = { cookie: (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? '', 'x-orrery-key': key };
  const told = await read(
    `${origin}/api/stream`,
    headers,
    (text) => /"pods":\{[^}]*"default\/ticking":\[/.test(text) && text.includes('"state":"running"'),
  );
  const id = /"id":"(0:[^"]+)","cluster":0,"name":"ticking"/.exec(told)?.[1];
  // Credentials stay in the program.
  expect(told).not.toMatch(/PRIVATE KEY|certificate-data|Bearer/);
  const log = await read(`${origin}/api/log?id=${id}&container=main`, headers, (text) => text.split('tick').length > 3);
  expect(log).toMatch(/^20\S+Z tick\n/);
  const ended = new Promise((resolve) => dashboard.once('exit', resolve));
  dashboard.kill('SIGINT');
  expect(await ended).toBe(0);
});

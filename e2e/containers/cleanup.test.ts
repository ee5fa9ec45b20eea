import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyboxImage } from '@orrery/cri-oci/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { censusOf, namesOf } from '../support/census.ts';
import { realClients } from '../support/clients.ts';
import { type Finished, orreryProgram, run } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { busybox, shellPod } from './fixture.ts';

let home: string;
let env: Readonly<Record<string, string>>;
const data = (): string => join(home, 'data/orrery/default');
const upArguments = ['up', '--port', '0', '--runtime=oci'];

const orrery = async (...args: readonly string[]): Promise<Finished> => {
  const finished = await run(process.execPath, [orreryProgram, ...args], { env, cwd: home, timeoutMs: 120_000 });
  if (finished.code !== 0) throw new Error(`orrery ${args.join(' ')}: exit ${finished.code}\n${finished.stdout}${finished.stderr}`);
  return finished;
};

const kubectl = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(realClients().kubectl, ['--kubeconfig', join(data(), 'kubeconfig'), ...args], { env });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
};

/** What a cluster has everywhere on its machine: addresses, ports, rules, disks, memory, users of its own. */
const idle = 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done';
const everything: readonly object[] = [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { key: 'value' } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: busybox, command: ['sh', '-c', idle] }] },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, type: 'NodePort', ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'web' },
    spec: { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ from: [{ podSelector: {} }] }] },
  },
  shellPod('volumes', idle, {
    spec: {
      restartPolicy: 'Always',
      volumes: [
        { name: 'disk', emptyDir: {} },
        { name: 'memory', emptyDir: { medium: 'Memory' } },
        { name: 'settings', configMap: { name: 'settings' } },
        { name: 'host', hostPath: { path: '/usr/share', type: 'Directory' } },
      ],
    },
    container: {
      ports: [{ containerPort: 8080, hostPort: 28_471 }],
      volumeMounts: [
        { name: 'disk', mountPath: '/disk' },
        { name: 'disk', mountPath: '/part', subPath: 'part' },
        { name: 'memory', mountPath: '/memory' },
        { name: 'settings', mountPath: '/settings' },
        { name: 'settings', mountPath: '/one', subPath: 'key' },
        { name: 'host', mountPath: '/host', readOnly: true },
      ],
    },
  }),
  shellPod('users', idle, { spec: { restartPolicy: 'Always', hostUsers: false } }),
];

const up = (): Promise<Finished> => orrery(...upArguments, '--detach');

/** Up, and every pod runs: those of before again. */
async function upWithPods(): Promise<void> {
  await up();
  await eventually(async () => {
    const ready = (
      await kubectl('get', 'pods', '-o', 'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {end}')
    ).trim();
    expect(ready.split(' ')).toEqual(['True', 'True', 'True', 'True']);
    expect(Object.entries(censusOf(data())).filter(([, found]) => found.length === 0)).toEqual([]); // Else nothing could be left over.
  }, 60_000);
}

const serverPid = (): number => Number((JSON.parse(readFileSync(join(data(), 'instance.json'), 'utf8')) as { readonly pid: number }).pid);

async function killServer(): Promise<void> {
  const pid = serverPid();
  process.kill(pid, 'SIGKILL');
  await eventually(() => expect(() => process.kill(pid, 0)).toThrow());
}

/** Pids of the programs that watch over containers, or of what they watch. */
const pidsOf = (pattern: RegExp): readonly number[] =>
  censusOf(data())
    .processes.filter((line) => pattern.test(line))
    .map((line) => Number(line.split(' ')[0]));

const expectNothingLeft = (): void => expect(namesOf(censusOf(data()))).toEqual([]);

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'orrery-cleanup-'));
  env = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_DATA_HOME: join(home, 'data'), LANG: 'C.UTF-8', TMPDIR: home };
  await up();
  await writeFile(join(home, 'busybox.tar'), busyboxImage().archive(busybox));
  await orrery('image', 'load', join(home, 'busybox.tar'));
  await eventually(() => kubectl('get', 'serviceaccount', 'default'));
  await writeFile(join(home, 'everything.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: everything }));
  await kubectl('create', '-f', join(home, 'everything.json'));
});

afterAll(async () => {
  await orrery('reset', '--yes');
  expectNothingLeft();
  await rm(home, { recursive: true, force: true });
});

describe('nothing of a cluster is left', { timeout: 180_000 }, () => {
  beforeEach(() => upWithPods());

  test('after down', async () => {
    await orrery('down');
    expectNothingLeft();
  });

  test('killed, after down', async () => {
    await killServer();
    await orrery('down');
    expectNothingLeft();
  });

  test('killed, after up and down', async () => {
    await killServer();
    await upWithPods();
    await orrery('down');
    expectNothingLeft();
  });

  test('killed with everything that watches over containers, after down', async () => {
    await killServer();
    const watchers = pidsOf(/^\d+ \S*conmon /);
    expect(watchers.length).toBeGreaterThan(0);
    for (const pid of watchers) process.kill(pid, 'SIGKILL');
    await orrery('down');
    expectNothingLeft();
  });

  test('killed with its pods, after up and down', async () => {
    await killServer();
    for (const pid of pidsOf(/^\d+ (sh|sleep) /)) process.kill(pid, 'SIGKILL');
    await upWithPods();
    await orrery('down');
    expectNothingLeft();
  });
});

describe('stopped while it starts', { timeout: 180_000 }, () => {
  const start = (): { readonly child: ChildProcess; readonly ended: Promise<unknown> } => {
    const child = spawn(process.execPath, [orreryProgram, ...upArguments], { env, cwd: home, stdio: 'ignore' });
    return { child, ended: new Promise((resolve) => child.once('close', resolve)) };
  };
  const moments = [0, 150, 300, 450, 600, 900];

  test.each(moments)('by Ctrl+C after %i ms', async (ms) => {
    const { child, ended } = start();
    await new Promise((resolve) => setTimeout(resolve, ms));
    child.kill('SIGINT');
    await ended;
    expectNothingLeft();
  });

  test.each(moments)('by down after %i ms', async (ms) => {
    const { child, ended } = start();
    await new Promise((resolve) => setTimeout(resolve, ms));
    await orrery('down');
    child.kill('SIGINT'); // Before it came to its first line nobody knew of it; after, it has ended.
    await ended;
    expectNothingLeft();
  });
});

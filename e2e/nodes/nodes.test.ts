import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxImage } from '@orrery/cri-oci/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { joinNode, kubectlOf, type Machine, type Machines, makeMachines } from './machines.ts';

const image = 'docker.io/library/busybox:1';
const archiveName = 'busybox.tar';

/** A pod on one node; `script` runs in a shell. */
const pod = (name: string, node: string, script: string, labels: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: {
    terminationGracePeriodSeconds: 0,
    nodeSelector: { 'kubernetes.io/hostname': node },
    containers: [{ name: 'c', image, command: ['sh', '-c', script] }],
  },
});

const serving = (text: string): string => `mkdir -p /www && echo ${text} >/www/index.html && exec httpd -f -p 80 -h /www`;

/** How many processes of this machine run exactly that. */
function processesOf(command: string): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() === command;
    } catch {
      return false; // Ended meanwhile.
    }
  }).length;
}

describe('three machines', () => {
  let machines: Machines;
  let a: Machine;
  let kubectl: ReturnType<typeof kubectlOf>;
  const children = new Map<string, ChildProcess>();

  const machine = (name: string): Machine => {
    const found = machines.all.find((each) => each.name === name);
    if (found === undefined) throw new Error(name);
    return found;
  };
  const create = async (...manifests: readonly object[]): Promise<void> => {
    const file = join(a.home, 'objects.json');
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }));
    await kubectl('apply', '-f', file);
  };
  const shell = (name: string, script: string): Promise<string> => kubectl('exec', name, '--', 'sh', '-c', script);
  const end = async (name: string): Promise<number | null> => {
    const child = children.get(name);
    if (child === undefined || child.exitCode !== null) return null;
    child.kill('SIGINT');
    await once(child, 'exit');
    children.delete(name);
    return child.exitCode;
  };

  beforeAll(async () => {
    machines = await makeMachines(['a', 'b', 'c']);
    a = machine('a');
    kubectl = kubectlOf(a);
    await a.orrery(['up', '--detach', `--host=${a.address}`, '--port=0', '--node-name=a', '--runtime=oci']);
    for (const name of ['b', 'c']) children.set(name, await joinNode(a, machine(name)));
    const archive = join(a.home, archiveName);
    await writeFile(archive, busyboxImage().archive(image));
    await a.orrery(['image', 'load', archive]);
    for (const name of ['b', 'c']) await machine(name).orrery(['image', 'load', archive, '--node-name', name]);
    await kubectl('wait', '--for=condition=Ready', 'node', '--all', '--timeout=60s');
  }, 180_000);

  afterAll(async () => {
    for (const { name } of machines?.all ?? []) await machine(name).plug(true);
    for (const name of [...children.keys()]) await end(name);
    await a?.orrery(['reset', '--yes']);
    await machines?.dispose();
  }, 120_000);

  test('pods, Services and names reach across nodes; logs and exec reach every node', { timeout: 120_000 }, async () => {
    await create(
      pod('web-b', 'b', serving('from-b'), { app: 'web' }),
      pod('web-c', 'c', serving('from-c'), { app: 'web' }),
      pod('client-a', 'a', 'echo begun; sleep 100000'),
      pod('client-c', 'c', 'echo begun; sleep 100000'),
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
    );
    await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
    const address = async (name: string): Promise<string> => kubectl('get', 'pod', name, '-o', 'jsonpath={.status.podIP}');
    for (const client of ['client-a', 'client-c']) {
      expect(await kubectl('logs', client)).toBe('begun\n');
      expect(await shell(client, `wget -qO- http://${await address('web-b')}/`)).toBe('from-b\n');
      expect(await shell(client, `wget -qO- http://${await address('web-c')}/`)).toBe('from-c\n');
      const answers = await eventually(async () => {
        const text = await shell(client, 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do wget -qO- http://web/; done');
        expect(new Set(text.trim().split('\n'))).toEqual(new Set(['from-b', 'from-c']));
        return text;
      });
      expect(answers).toContain('from-b');
    }
  });

  test('a node that is cut off is not ready, its pods run elsewhere, and after its return nothing runs twice', {
    timeout: 240_000,
  }, async () => {
    const command = `sleep ${500_000 + (process.pid % 100_000)}`;
    const gone = ['not-ready', 'unreachable'].map((name) => ({
      key: `node.kubernetes.io/${name}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 5,
    }));
    const preferred = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['b'] }] };
    await create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'moving' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'moving' } },
        template: {
          metadata: { labels: { app: 'moving' } },
          spec: {
            terminationGracePeriodSeconds: 0,
            tolerations: gone,
            affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: preferred }] } },
            containers: [{ name: 'c', image, command: command.split(' ') }],
          },
        },
      },
    });
    await kubectl('wait', '--for=condition=Available', 'deployment/moving', '--timeout=60s');
    const nodeOf = (): Promise<string> =>
      kubectl('get', 'pod', '-l', 'app=moving', '-o', 'jsonpath={range .items[?(@.status.phase=="Running")]}{.spec.nodeName} {end}');
    expect((await nodeOf()).trim()).toBe('b');
    await machine('b').plug(false);
    await kubectl('wait', '--for=condition=Ready=Unknown', 'node/b', '--timeout=90s');
    await eventually(
      async () => expect((await nodeOf()).split(' ').filter((name) => name === 'a' || name === 'c')).toHaveLength(1),
      60_000,
    );
    expect(processesOf(command)).toBe(2); // Nobody can tell a node that is cut off.
    await machine('b').plug(true);
    await kubectl('wait', '--for=condition=Ready', 'node/b', '--timeout=90s');
    await eventually(() => expect(processesOf(command)).toBe(1), 60_000);
    await eventually(async () =>
      expect((await kubectl('get', 'pod', '-l', 'app=moving', '-o', 'name')).trim().split('\n')).toHaveLength(1),
    );
    expect((await nodeOf()).trim()).not.toBe('b');
    await eventually(async () => expect(await shell('client-a', 'wget -qO- http://web/')).toMatch(/from-[bc]/));
  });

  test('a node that is ended by Ctrl+C leaves nothing on its machine', { timeout: 90_000 }, async () => {
    expect(await end('c')).toBe(0);
    const links = await machine('c').exec('ip', ['-brief', 'link']);
    expect(
      links
        .trim()
        .split('\n')
        .map((line) => line.split(/[ @]/)[0])
        .sort(),
    ).toEqual(['eth0', 'lo']);
    expect((await machine('c').exec('nft', ['list', 'tables'])).trim()).toBe('');
  });
});

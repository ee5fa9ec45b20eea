import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { realClients } from '../support/clients.ts';
import { type Finished, orreryProgram, type RunOptions, run } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { Asker, accessOf } from '../support/https.ts';
import { mountsBelow, processesNaming } from '../support/processes.ts';

let home: string;
let env: Readonly<Record<string, string>>;
const folderOf = (name: string): string => join(home, 'data/orrery', name);
const orrery = (args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
  run(process.execPath, [orreryProgram, ...args], { env, cwd: home, ...options });
const up = (...args: string[]): Promise<Finished> => orrery(['up', '--detach', '--port', '0', '--runtime=process', ...args]);
const kubectl = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(realClients().kubectl, ['--kubeconfig', join(folderOf('default'), 'kubeconfig'), ...args], {
    env,
  });
  if (code !== 0) throw new Error(stdout + stderr);
  return stdout.trim();
};

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'orrery-lifecycle-'));
  env = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_DATA_HOME: join(home, 'data'), LANG: 'C.UTF-8', TMPDIR: home };
});
afterEach(async () => {
  for (const name of await readdir(join(home, 'data/orrery')).catch(() => [])) await orrery(['reset', '--yes', '--name', name]);
  expect(processesNaming(home)).toEqual([]);
  expect(mountsBelow(home)).toEqual([]);
  expect((await readdir(home)).filter((name) => name.startsWith('orrery-'))).toEqual([]); // Temporary files.
  await rm(home, { recursive: true, force: true });
});

describe('up and down', () => {
  function foreground(...args: string[]): { child: ChildProcess; output(): string; ended: Promise<number | null> } {
    const child = spawn(process.execPath, [orreryProgram, 'up', '--port', '0', '--runtime=process', ...args], {
      env,
      cwd: home,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
    return { child, output: () => text, ended: new Promise((resolve) => child.once('close', resolve)) };
  }

  test('in the foreground: says each step; Ctrl+C stops it', async () => {
    const { child, output, ended } = foreground();
    await eventually(() => expect(output()).toContain('Press Ctrl+C to stop it.'));
    for (const part of [/^Orrery \S+, Kubernetes v1\.36\.\d+, cluster "default"$/m, /^✔ store /m, /^✔ API server +https:/m, /^✔ node /m])
      expect(output()).toMatch(part);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(output()).toContain('Stopping …');
    expect((await orrery(['status'])).code).toBe(3);
  });

  test('a second Ctrl+C ends it at once', async () => {
    const { child, output, ended } = foreground();
    await eventually(() => expect(output()).toContain('Press Ctrl+C'));
    // A pod that does not want to end: the first Ctrl+C waits for it.
    await kubectl('run', 'stubborn', '--image=none', '--command', '--', 'sh', '-c', 'trap "" TERM; while :; do sleep 1; done');
    await kubectl('wait', '--for=condition=Ready', 'pod/stubborn', '--timeout=20s');
    child.kill('SIGINT');
    await eventually(() => expect(output()).toContain('Stopping …'));
    const at = Date.now();
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(Date.now() - at).toBeLessThan(9_000); // The grace of ten seconds was not waited for.
  });

  test('detached: returns when it is ready; again says so; the log speaks to nobody at a terminal', async () => {
    const { code, stdout, stderr } = await up();
    expect([code, stdout]).toEqual([
      0,
      `Cluster "default" is ready. Use it:\n  export KUBECONFIG=${folderOf('default')}/kubeconfig\n  kubectl get nodes\nStop it with "orrery down".\n`,
    ]);
    expect(stderr).toContain('limits are not enforced');
    expect((await kubectl('get', '--raw', '/readyz')).trim()).toBe('ok');
    const again = await up();
    expect([again.code, again.stdout]).toEqual([
      0,
      expect.stringMatching(/^cluster "default" is already running at https:\S+ \(pid \d+\)\n$/),
    ]);
    const beside = await orrery(['up']);
    expect([beside.code, beside.stderr]).toEqual([1, expect.stringMatching(/already running.*stop it with "orrery down"/)]);
    const log = (await orrery(['logs'])).stdout;
    expect(log).toContain('API server');
    expect(log).not.toContain('Ctrl+C');
    expect((await orrery(['logs', '--tail', '1'])).stdout.split('\n')).toHaveLength(2);
    expect((await orrery(['down'])).stdout).toBe('cluster "default" stopped\n');
    expect((await orrery(['down'])).stdout).toBe('cluster "default" was not running\n');
  });

  test('pods: end with down; stay with --keep-pods and are adopted; objects stay', { timeout: 90_000 }, async () => {
    await up();
    await kubectl('create', 'deployment', 'web', '--image=none', '--replicas=2', '--', 'sleep', '4711');
    await kubectl('wait', '--for=condition=Available', 'deploy/web', '--timeout=20s');
    const ids = (): string[] =>
      processesNaming('ORRERY_CONTAINER_ID').filter((line) => line.endsWith(' sleep 4711') && !line.includes('sh '));
    const before = ids().sort();
    expect(before).toHaveLength(2);
    expect((await orrery(['down', '--keep-pods'])).code).toBe(0);
    expect(ids().sort()).toEqual(before);
    await up();
    const restarts = '{.items[*].status.containerStatuses[0].restartCount} {.items[*].status.containerStatuses[0].ready}';
    await eventually(async () => expect(await kubectl('get', 'pods', '-o', `jsonpath=${restarts}`)).toBe('0 0 true true'));
    expect(ids().sort()).toEqual(before);
    await orrery(['down']);
    expect(ids()).toEqual([]);
    await up();
    await eventually(async () => expect(await kubectl('get', 'deploy', 'web', '-o', 'jsonpath={.status.readyReplicas}')).toBe('2'));
    await eventually(() => expect(ids()).toHaveLength(2)); // The status may be that of before.
  });

  test('killed, then down: nothing of its pods is left', { timeout: 60_000 }, async () => {
    await up();
    await kubectl('run', 'left', '--image=none', '--command', '--', 'sleep', '4712');
    await kubectl('wait', '--for=condition=Ready', 'pod/left', '--timeout=20s');
    const { pid } = JSON.parse((await orrery(['status', '-o', 'json'])).stdout) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await eventually(async () => expect((await orrery(['status'])).code).toBe(3));
    expect(processesNaming(home).length).toBeGreaterThan(0);
    expect((await orrery(['down'])).code).toBe(0);
    expect(processesNaming(home)).toEqual([]);
    expect(mountsBelow(home)).toEqual([]);
  });

  test('on all addresses: the kubeconfig uses loopback', async () => {
    await up('--host', '0.0.0.0');
    const access = accessOf(join(folderOf('default'), 'kubeconfig'));
    expect(access.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const asker = new Asker(access);
    expect((await asker.ask('/readyz')).status).toBe(200);
    asker.agent.destroy();
  });
});

describe('status, kubeconfig, reset, several clusters', () => {
  test('side by side', { timeout: 60_000 }, async () => {
    expect(await orrery(['status'])).toMatchObject({ code: 3, stdout: expect.stringContaining('is not running') });
    expect(await orrery(['status', '--all'])).toMatchObject({ code: 0, stdout: expect.stringContaining('start one with "orrery up"') });
    expect((await up('--name', 'one')).code).toBe(0);
    expect((await up('--name', 'two')).code).toBe(0);
    const { clusters } = JSON.parse((await orrery(['status', '--all', '-o', 'json'])).stdout) as {
      clusters: readonly Record<string, unknown>[];
    };
    expect(clusters).toMatchObject(
      ['one', 'two'].map((name) => ({ name, running: true, apiServer: 'ok', nodes: [{ ready: true, pods: 0 }] })),
    );
    expect(parse((await orrery(['status', '-n', 'two', '-o', 'yaml'])).stdout)).toEqual(clusters[1]);
    await orrery(['reset', '--yes', '-n', 'one']);
    expect(existsSync(folderOf('one'))).toBe(false);
    expect((await orrery(['status', '-n', 'two'])).code).toBe(0);
    expect(existsSync(join(home, '.kube'))).toBe(false);
  });

  test("kubeconfig: printed, its path, merged into the user's, taken out by reset", async () => {
    expect(await orrery(['kubeconfig'])).toMatchObject({ code: 1, stderr: expect.stringContaining('start it with "orrery up"') });
    const mine = join(home, '.kube/config');
    await mkdir(join(home, '.kube'));
    const other = { name: 'other', cluster: { server: 'https://other' } };
    await writeFile(
      mine,
      JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters: [other], contexts: [], users: [], 'current-context': 'x' }),
    );
    await up();
    const path = (await orrery(['kubeconfig', '--path'])).stdout.trim();
    expect((await orrery(['kubeconfig'])).stdout).toBe(readFileSync(path, 'utf8'));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await orrery(['kubeconfig', '--merge'])).code).toBe(0);
    expect(parse(readFileSync(mine, 'utf8'))).toMatchObject({ 'current-context': 'orrery', clusters: [other, { name: 'orrery' }] });
    expect((await run(realClients().kubectl, ['get', '--raw', '/readyz'], { env })).stdout).toBe('ok');
    await orrery(['reset', '--yes']);
    expect(parse(readFileSync(mine, 'utf8'))).toMatchObject({ clusters: [other], contexts: [], users: [] });
  });

  test('reset asks first', async () => {
    await up();
    expect(await orrery(['reset'])).toMatchObject({ code: 1, stderr: expect.stringContaining('pass --yes') });
    const command = `${process.execPath} ${orreryProgram} reset`;
    const asked = await run('script', ['-qec', command, '/dev/null'], { env: { ...env, SHELL: '/bin/sh' }, cwd: home, input: 'n\n' });
    expect(asked.stdout).toContain('[y/N]');
    expect(asked.stdout).toContain('nothing was deleted');
    expect((await orrery(['status'])).code).toBe(0);
  });
});

describe('what goes wrong is told in one line that says what to do', () => {
  const fails = async (args: readonly string[], pattern: RegExp): Promise<void> => {
    const { code, stderr } = await orrery(args, { timeoutMs: 30_000 });
    expect(stderr).toMatch(pattern);
    expect(stderr).not.toMatch(/unexpected error|\n {4}at /);
    expect(code).toBe(1);
  };
  test('a port in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? `${address?.port}` : '';
    try {
      await fails(['up', '--port', port], /is in use: end the program that listens there, or choose another port with --port/);
      await fails(['up', '--detach', '--port', port], /did not start[\s\S]*is in use/);
    } finally {
      server.close();
    }
  });
  test('an address that this machine does not have', () =>
    fails(['up', '--port', '0', '--host', '203.0.113.7'], /choose another with --host/));
  test('a damaged store', async () => {
    await up();
    await orrery(['down']);
    await writeFile(join(folderOf('default'), 'store/data.mdb'), 'garbage');
    await fails(['up', '--port', '0'], /cannot open the store.*restore a copy of the folder, or delete the cluster with "orrery reset"/);
  });
  test('a store that another process has open', async () => {
    await up();
    await rm(join(folderOf('default'), 'instance.json')); // As after a restored backup: only the store's own lock knows.
    try {
      await fails(['up', '--port', '0'], /cannot open the store.*end that process, or choose another cluster/);
    } finally {
      for (const line of processesNaming(home).filter((each) => each.includes('orrery.cjs up')))
        process.kill(Number(line.split(' ')[0]), 'SIGKILL');
    }
  });
  test('a damaged authority', async () => {
    await up();
    await orrery(['down']);
    await writeFile(join(folderOf('default'), 'pki/ca.key'), '');
    await fails(['up', '--port', '0'], /damaged or do not belong together: restore them, or remove/);
  });
  test('a file where the folder must be', async () => {
    await mkdir(join(home, 'data'));
    await writeFile(join(home, 'data/orrery'), '');
    await fails(['up', '--port', '0'], /a file stands where a folder must be/);
  });
  test('image maps', async () => {
    await fails(['up', '--image-map', 'none.yaml'], /cannot read the image map none.yaml/);
    await writeFile(join(home, 'bad.yaml'), 'images: {x: {entrypoint: 3}}');
    await fails(['up', '--image-map', 'bad.yaml'], /images\[x\]\.entrypoint: must be a list of strings/);
  });
  test('a kubeconfig that is none', async () => {
    await up();
    await mkdir(join(home, '.kube'));
    await writeFile(join(home, '.kube/config'), 'clusters: 3');
    await fails(['kubeconfig', '--merge'], /clusters must be a list/);
    expect(readFileSync(join(home, '.kube/config'), 'utf8')).toBe('clusters: 3');
    await rm(join(home, '.kube/config'));
  });

  const isRoot = process.geteuid?.() === 0;
  describe.skipIf(!isRoot)(`on a small file system${isRoot ? '' : ' (skipped: mounting needs root)'}`, () => {
    test('read-only', async () => {
      const folder = join(home, 'data');
      await mkdir(folder);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'orrery-test', folder]);
      try {
        await fails(['up', '--port', '0'], /read-only: choose another folder with XDG_DATA_HOME/);
        await fails(['up', '--port', '0', '--detach'], /read-only: choose another folder with XDG_DATA_HOME/);
      } finally {
        execFileSync('umount', [folder]);
      }
    });
    test('full', async () => {
      const folder = join(home, 'data');
      await mkdir(folder);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'orrery-test', folder]);
      try {
        await fails(['up', '--port', '0'], /make room/);
      } finally {
        execFileSync('umount', [folder]);
      }
    });
  });
});

describe('scripts', () => {
  test('version', async () => {
    expect(JSON.parse((await orrery(['version', '-o', 'json'])).stdout)).toMatchObject({ kubernetes: expect.stringMatching(/^v1\.36\./) });
    expect((await orrery(['--version'])).stdout).toMatch(/^orrery \S+\nkubernetes v1\.36/);
  });
  for (const shell of ['bash', 'zsh', 'fish']) {
    const has = spawnSync(shell, ['-c', 'true']).status === 0;
    test.skipIf(!has)(`completion for ${shell}${has ? '' : ` (skipped: there is no ${shell})`}`, async () => {
      const { code, stdout } = await orrery(['completion', shell]);
      expect(code).toBe(0);
      const file = join(home, `completion.${shell}`); // fish reads no script from its input.
      await writeFile(file, stdout);
      expect(await run(shell, ['-n', file], { env })).toMatchObject({ code: 0, stderr: '' });
    });
  }
  test('bash completes verbs, flags and choices', async () => {
    const script = (await orrery(['completion', 'bash'])).stdout;
    const complete = async (line: string): Promise<string> => {
      const words = line.split(' ');
      const ask = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _orrery; echo "\${COMPREPLY[@]}"`;
      return (await run('bash', ['-s'], { input: ask, env })).stdout.trim();
    };
    expect(await complete('orrery st')).toBe('status stop');
    expect(await complete('orrery down --k')).toBe('--keep-pods');
    expect(await complete('orrery status --output ')).toBe('json yaml');
  });
});

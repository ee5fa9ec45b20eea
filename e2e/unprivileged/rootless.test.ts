import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxImage } from '@orrery/cri-oci/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, type RunOptions, run } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { newOrdinaryUser, type OrdinaryUser, whyNoUser } from '../support/ordinary-user.ts';

const missing = ['/usr/bin/pasta', '/usr/bin/newuidmap'].find((path) => !existsSync(path));
const whyNot = whyNoUser ?? (missing === undefined ? undefined : `${missing} is missing`);
const image = 'docker.io/library/busybox:1';
const nodePort = 31_000 + (process.pid % 1000);

/** Test machines keep `/dev/net/tun` to root; elsewhere it is everybody's. The user gets a device of his own, in this view of files alone. */
const withTun =
  'mount --bind "$1" /dev/net/tun && uid=$2 gid=$3 && shift 3 && exec setpriv --reuid "$uid" --regid "$gid" --init-groups -- "$@"';

const manifests = (port: number): object => ({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [
              {
                name: 'c',
                image,
                command: [
                  'sh',
                  '-c',
                  'mkdir -p /www && echo served >/www/index.html && echo begun && trap exit TERM && { httpd -f -p 80 -h /www & wait; }',
                ],
                readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, nodePort: port }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'client' },
      spec: {
        terminationGracePeriodSeconds: 1,
        securityContext: { runAsUser: 1234, runAsGroup: 1234, fsGroup: 2345 },
        containers: [
          { name: 'c', image, command: ['sh', '-c', 'trap exit TERM; sleep 3600 & wait'], volumeMounts: [{ name: 'v', mountPath: '/v' }] },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    },
  ],
});

describe.skipIf(whyNot !== undefined)(`containers of an ordinary user${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, () => {
  let user: OrdinaryUser;
  let started: Finished;
  const asUser = (argv: readonly string[], options: RunOptions = {}): Promise<Finished> => {
    const { uid, gid, folder, env } = user;
    return run('unshare', ['--mount', 'sh', '-c', withTun, 'sh', join(folder, 'tun'), `${uid}`, `${gid}`, ...argv], {
      env,
      cwd: folder,
      ...options,
    });
  };
  const orrery = (...args: readonly string[]): Promise<Finished> => asUser([process.execPath, user.program, ...args]);
  const kubectl = async (args: readonly string[], options: RunOptions = {}): Promise<string> => {
    const { env, kubeconfig, uid, gid, folder } = user;
    const { code, stdout, stderr } = await run(user.kubectl, ['--kubeconfig', kubeconfig, ...args], {
      env,
      uid,
      gid,
      cwd: folder,
      ...options,
    });
    if (code !== 0) throw new Error(`${args.join(' ')}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  const fetched = async (): Promise<string> => (await fetch(`http://127.0.0.1:${nodePort}/`)).text();
  const instance = async (): Promise<{ pid: number; runtime: string }> =>
    JSON.parse(await readFile(join(user.env['XDG_DATA_HOME'] ?? '', 'orrery/default/instance.json'), 'utf8'));

  beforeAll(async () => {
    user = await newOrdinaryUser('rootless');
    execFileSync('mknod', ['-m', '600', join(user.folder, 'tun'), 'c', '10', '200']);
    execFileSync('chown', [user.name, join(user.folder, 'tun')]);
    await writeFile(join(user.folder, 'busybox.tar'), busyboxImage().archive(image));
    started = await orrery('up', '--detach', '--port', '0');
    if (started.code === 0) {
      await orrery('image', 'load', join(user.folder, 'busybox.tar'));
      await eventually(() => kubectl(['get', 'serviceaccount', 'default']));
      await kubectl(['create', '-f', '-'], { input: JSON.stringify(manifests(nodePort)) });
    }
  });

  afterAll(async () => {
    const { code, stderr } = await orrery('reset', '--yes');
    expect(await user.remove()).toEqual({ processes: [], mounts: [], temporary: [] });
    expect(code, stderr).toBe(0);
  });

  test('the best driver is chosen, and what is missing is said once', async () => {
    expect(started, started.stderr).toMatchObject({ code: 0 });
    expect(started.stderr.match(/Orrery runs without root/g)).toHaveLength(1);
    expect(started.stderr.match(/limits are not enforced/g)).toHaveLength(1);
    expect((await instance()).runtime).toBe('oci');
    expect((await orrery('image', 'ls')).stdout).toContain(image);
  });

  test('unmodified pods, as whatever user, with volumes; logs, exec, Service names', { timeout: 90_000 }, async () => {
    await kubectl(['wait', '--for=condition=Available', 'deploy/web', '--timeout=60s']);
    await kubectl(['wait', '--for=condition=Ready', 'pod/client', '--timeout=60s']);
    expect(await kubectl(['logs', 'deploy/web'])).toBe('begun\n');
    expect(await kubectl(['exec', 'client', '--', 'sh', '-c', 'id -u; touch /v/x && stat -c %g /v/x'])).toBe('1234\n2345\n');
    await eventually(async () => expect(await kubectl(['exec', 'client', '--', 'wget', '-qO-', 'http://web/'])).toBe('served\n'), 30_000);
  });

  test("a node port on the machine's loopback", { timeout: 60_000 }, async () => {
    await eventually(async () => expect(await fetched()).toBe('served\n'), 30_000);
  });

  test('port-forward', { timeout: 60_000 }, async () => {
    const { env, kubeconfig, uid, gid, folder } = user;
    const forward = spawn(user.kubectl, ['--kubeconfig', kubeconfig, 'port-forward', 'deploy/web', ':80'], { env, uid, gid, cwd: folder });
    let said = '';
    forward.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    try {
      const port = await eventually(() => {
        const found = /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
        expect(found).toBeDefined();
        return found;
      });
      await eventually(async () => expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('served\n'));
    } finally {
      forward.kill('SIGTERM');
      await new Promise((resolve) => forward.once('close', resolve));
    }
  });

  test('pods run on when Orrery is killed, and are adopted', { timeout: 90_000 }, async () => {
    const before = await kubectl(['get', 'pod', 'client', '-o', 'jsonpath={.status.containerStatuses[0].containerID}']);
    process.kill((await instance()).pid, 'SIGKILL');
    const again = await orrery('up', '--detach');
    expect(again, again.stderr).toMatchObject({ code: 0 });
    await eventually(async () => expect(await fetched()).toBe('served\n'), 30_000);
    // The node says a moment later where its own server now listens.
    await eventually(async () => expect(await kubectl(['exec', 'client', '--', 'ls', '/v'])).toBe('x\n'), 30_000);
    const now = await kubectl(['get', 'pod', 'client', '-o', 'jsonpath={.status.containerStatuses[0].containerID}']);
    expect(now).toBe(before);
  });

  test('after a kill, down leaves nothing', { timeout: 90_000 }, async () => {
    process.kill((await instance()).pid, 'SIGKILL');
    const down = await orrery('down');
    expect(down, down.stderr).toMatchObject({ code: 0 });
    const processes = (): string => execFileSync('ps', ['-eo', 'stat=,args=', '--user', user.name]).toString();
    await eventually(() =>
      expect(
        processes()
          .split('\n')
          .filter((line) => line !== '' && !line.startsWith('Z') && line.includes(user.folder)),
      ).toEqual([]),
    );
  });
});

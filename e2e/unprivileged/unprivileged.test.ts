import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, type RunOptions, run } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { newOrdinaryUser, type OrdinaryUser, whyNoUser } from '../support/ordinary-user.ts';

const whyNot = whyNoUser;

describe.skipIf(whyNot !== undefined)(`the first minute of an ordinary user${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, () => {
  let user: OrdinaryUser;
  let folder: string;
  let env: Readonly<Record<string, string>>;
  let as: { readonly uid: number; readonly gid: number };
  let started: Finished;
  const orrery = (args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
    run(process.execPath, [join(folder, 'orrery/bin/orrery.cjs'), ...args], { env, ...as, cwd: folder, ...options });
  const kubectl = async (args: readonly string[], options: RunOptions = {}): Promise<string> => {
    const config = join(folder, 'home/data/orrery/default/kubeconfig');
    const { code, stdout, stderr } = await run(join(folder, 'kubectl'), ['--kubeconfig', config, ...args], {
      env,
      ...as,
      cwd: folder,
      ...options,
    });
    if (code !== 0) throw new Error(`${args.join(' ')}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
  };

  beforeAll(async () => {
    user = await newOrdinaryUser('plain');
    ({ folder, env } = user);
    as = { uid: user.uid, gid: user.gid };
    started = await orrery(['up', '--detach', '--port', '0', '--runtime=process']); // Whatever else this machine allows a user.
  });

  afterAll(async () => {
    await orrery(['reset', '--yes']);
    expect(await user.remove()).toEqual({ processes: [], mounts: [], temporary: [] });
  });

  test('the cluster starts, and says once what is missing', async () => {
    expect(started, started.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('is ready') });
    expect(started.stderr.match(/Orrery runs without root/g)).toHaveLength(1);
    expect((await orrery(['up', '--detach'])).stderr).not.toContain('without root');
    const log = await readFile(join(folder, 'home/data/orrery/default/orrery.log'), 'utf8');
    expect(log.match(/Orrery runs without root/g)).toHaveLength(1);
  });

  test('a deployment runs as this user; logs, exec, port-forward', { timeout: 60_000 }, async () => {
    const serve = 'echo "I am $(id -un)"; exec python3 -m http.server --bind "$POD_IP" 8000';
    await kubectl(['create', 'deployment', 'web', '--image=none', '--port=8000', '--', 'sh', '-c', serve]);
    await kubectl(['wait', '--for=condition=Available', 'deploy/web', '--timeout=20s']);
    await eventually(async () => expect(await kubectl(['logs', 'deploy/web'])).toContain(`I am `));
    expect(await kubectl(['exec', 'deploy/web', '--', 'sh', '-c', 'echo from inside'])).toBe('from inside\n');
    expect(await kubectl(['exec', '-i', 'deploy/web', '--', 'cat'], { input: 'typed' })).toBe('typed');
    const config = join(folder, 'home/data/orrery/default/kubeconfig');
    const forward = spawn(join(folder, 'kubectl'), ['--kubeconfig', config, 'port-forward', 'deploy/web', ':8000'], {
      env,
      ...as,
      cwd: folder,
    });
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
      await eventually(async () => expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('Directory listing'));
    } finally {
      forward.kill('SIGTERM');
      await new Promise((resolve) => forward.once('close', resolve));
    }
  });

  test('volumes at their paths, or refused with what to do where the kernel allows no user namespaces', { timeout: 60_000 }, async () => {
    await kubectl(['create', 'configmap', 'settings', '--from-literal=colour=blue']);
    const container = {
      name: 'c',
      image: 'none',
      command: ['sh', '-c', 'cat /settings/colour; echo; exec sleep 600'],
      volumeMounts: [{ name: 'v', mountPath: '/settings' }],
    };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'volume' },
      spec: { containers: [container], volumes: [{ name: 'v', configMap: { name: 'settings' } }] },
    };
    await kubectl(['create', '-f', '-'], { input: JSON.stringify(pod) });
    if (started.stderr.includes('volumes can only be mounted')) {
      await eventually(async () =>
        expect(await kubectl(['get', 'events', '--field-selector=involvedObject.name=volume'])).toMatch(/user namespaces/),
      );
    } else {
      await kubectl(['wait', '--for=condition=Ready', 'pod/volume', '--timeout=20s']);
      await eventually(async () => expect(await kubectl(['logs', 'volume'])).toBe('blue\n'));
    }
  });

  test('another user is refused with what to do', { timeout: 30_000 }, async () => {
    const container = { name: 'c', image: 'none', command: ['true'], securityContext: { runAsUser: 12345 } };
    await kubectl(['create', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'other' }, spec: { containers: [container] } }),
    });
    await eventually(async () => expect(await kubectl(['get', 'events', '--field-selector=involvedObject.name=other'])).toMatch(/root/));
  });

  test('a folder that may not be written to is told in one line that says what to do', async () => {
    const closed = join(folder, 'home/closed');
    await mkdir(closed);
    await chown(closed, as.uid, as.gid);
    await chmod(closed, 0o500);
    const { code, stderr } = await orrery(['up', '--port', '0'], { env: { ...env, XDG_DATA_HOME: closed }, timeoutMs: 20_000 });
    expect(stderr).toMatch(/make it accessible to your user/);
    expect(stderr).not.toMatch(/unexpected error|\n {4}at /);
    expect(code).toBe(1);
  });
});

import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { realClock, systemRandom } from '@orrery/base';
import type { PodNetwork } from '@orrery/cri';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newPlainNetwork } from './driver-test/plain-network.ts';
import { findOciRuntime } from './host/find-oci-runtime.ts';
import { mountsBelow } from './host/mount-table.ts';
import type { ImageStore } from './images/image-store.ts';
import { openImageStore } from './images/open-image-store.ts';
import { type OciRuntime, openOciRuntime } from './oci-runtime.ts';
import { busyboxImage } from './testing/index.ts';

const image = 'orrery.test/busybox:1';
const { runtimes, problems } = await findOciRuntime(process.env['PATH']);
const usable = process.geteuid?.() === 0 && runtimes.length > 0 && problems.length === 0;
const never = new Promise<never>(() => undefined);

/** An agent that is killed is one that goes no further; what it had made is what the next one finds. */
describe.skipIf(!usable)('after the agent was killed', () => {
  const prefix = `orrery-r${process.pid}`;
  const plain = newPlainNetwork(prefix);
  let directory: string;
  let images: ImageStore;
  let runtime: OciRuntime;

  const open = (change: { readonly network?: Partial<PodNetwork>; readonly images?: Partial<ImageStore> } = {}): Promise<OciRuntime> =>
    openOciRuntime({
      directory: join(directory, 'oci'),
      clock: realClock,
      random: systemRandom,
      instanceId: `r${process.pid}`,
      network: { ...plain, ...change.network },
      images: { ...images, ...change.images },
      environment: process.env,
    });
  const sandboxConfig = () => ({ metadata: { name: 'p', uid: 'u', namespace: 'd' }, hostname: 'p', logDirectory: join(directory, 'logs') });
  const containerConfig = (command: readonly string[]) => ({ metadata: { name: 'c' }, image: { image }, command, logPath: 'c.log' });
  const networks = async (): Promise<readonly string[]> => (await readdir('/var/run/netns')).filter((name) => name.startsWith(prefix));
  const until = async (done: () => Promise<boolean>): Promise<void> => {
    while (!(await done())) await realClock.sleep(10);
  };
  const created = async (command: readonly string[]) => {
    const { podSandboxId = '' } = await runtime.runPodSandbox({ config: sandboxConfig() });
    const { containerId = '' } = await runtime.createContainer({ podSandboxId, config: containerConfig(command) });
    return { podSandboxId, containerId, folder: join(directory, 'oci/containers', containerId) };
  };
  const statusOf = async (containerId: string) => (await runtime.containerStatus({ containerId })).status ?? {};

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'orrery-oci-'));
    images = await openImageStore({ directory: join(directory, 'images'), clock: realClock, random: systemRandom });
    await images.load(Readable.from([busyboxImage().archive(image)]));
    runtime = await open();
  });
  afterEach(async () => {
    const { items = [] } = await runtime.listPodSandbox({});
    for (const { id = '' } of items) await runtime.removePodSandbox({ podSandboxId: id });
    await runtime.close();
    expect(mountsBelow(directory)).toEqual([]);
    expect(await networks()).toEqual([]);
    expect(await readdir(join(directory, 'oci/containers'))).toEqual([]);
    expect(await readdir(join(directory, 'oci/runtime'))).toEqual([]);
    await rm(directory, { recursive: true, force: true });
  });

  test('in the middle of a sandbox, nothing of it is left', async () => {
    const dying = await open({
      network: {
        async attach(request) {
          await plain.attach(request);
          return never;
        },
      },
    });
    void dying.runPodSandbox({ config: sandboxConfig() });
    await until(async () => (await networks()).length === 1 && mountsBelow(directory).length === 2);
    await dying.close();
    runtime = await open();
    expect((await runtime.listPodSandbox({})).items).toEqual([]);
    expect(await networks()).toEqual([]);
  });

  test('in the middle of a container, nothing of it is left', async () => {
    const { podSandboxId } = await created(['sleep', '1000']);
    const before = await readdir(join(directory, 'oci/containers'));
    const dying = await open({
      images: {
        async snapshot(id, record, options) {
          await images.snapshot(id, record, options);
          return never;
        },
      },
    });
    void dying.createContainer({ podSandboxId, config: containerConfig(['true']) });
    await until(async () => (await readdir(join(directory, 'oci/containers'))).length === 2);
    await dying.close();
    runtime = await open();
    expect(await readdir(join(directory, 'oci/containers'))).toEqual(before);
  });

  test('before the monitor was started, the container never ran', async () => {
    const { containerId, folder } = await created(['sleep', '1000']);
    await runtime.close();
    const record = JSON.parse(await readFile(join(folder, 'record.json'), 'utf8')) as object;
    await writeFile(join(folder, 'record.json'), JSON.stringify({ ...record, startedAtMs: 1 }));
    runtime = await open();
    expect(await statusOf(containerId)).toMatchObject({ state: 'CONTAINER_EXITED', reason: 'StartError', exitCode: 128 });
  });

  test('before the monitor answered, the container is found running', async () => {
    const { containerId } = await created(['sleep', '1000']);
    const starting = runtime.startContainer({ containerId });
    await until(async () => (await readdir(join(directory, 'oci/containers', containerId))).includes('monitor-pid'));
    const next = await open();
    expect((await next.containerStatus({ containerId })).status?.state).toBe('CONTAINER_RUNNING');
    await starting;
    await runtime.close();
    runtime = next;
  });

  test('a torn record is no record', async () => {
    const { containerId, folder, podSandboxId } = await created(['sleep', '1000']);
    await runtime.close();
    await writeFile(join(folder, 'record.json'), '{"id":');
    await mkdir(join(directory, 'oci/sandboxes/half'));
    runtime = await open();
    await expect(runtime.containerStatus({ containerId })).rejects.toThrow('not found');
    expect((await runtime.listPodSandbox({})).items?.map(({ id }) => id)).toEqual([podSandboxId]);
  });

  test('a container whose monitor was killed is ended, and nobody pretends to know how', async () => {
    const { containerId, folder } = await created(['sleep', '1000']);
    await runtime.startContainer({ containerId });
    process.kill(Number(readFileSync(join(folder, 'monitor-pid'), 'utf8')), 'SIGKILL');
    await until(async () => (await statusOf(containerId)).state === 'CONTAINER_EXITED');
    expect(await statusOf(containerId)).toMatchObject({ exitCode: 255, reason: 'Unknown' });
  });

  test('a sandbox of an earlier boot is not ready', async () => {
    const { podSandboxId } = await created(['sleep', '1000']);
    await runtime.close();
    const file = join(directory, 'oci/sandboxes', podSandboxId, 'record.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/"bootId":"[^"]*"/, '"bootId":"another"'));
    runtime = await open();
    expect((await runtime.podSandboxStatus({ podSandboxId })).status?.state).toBe('SANDBOX_NOTREADY');
  });
});

import { mkdtemp, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { NamespaceOption } from '../generated/cri-v1.ts';
import type { RuntimeAbilities } from './abilities.ts';
import { inPod, type Kit, type Sandbox, secured } from './kit.ts';

/** A pod and its containers carry the same options, as the kubelet sends them. */
const sharing = (options: NamespaceOption) => ({
  pod: inPod({ securityContext: { namespaceOptions: options } }),
  container: secured({ namespaceOptions: options }),
});

export function describeNamespaces(kit: Kit, abilities: RuntimeAbilities): void {
  if (!abilities.isolation) return;
  const startIn = (sandbox: Sandbox, options: NamespaceOption) =>
    kit.start(sandbox, ['sleep', '1000'], secured({ namespaceOptions: options }));

  describe('namespaces', () => {
    test('a container’s command is process 1 of its own', async () => {
      expect(await kit.output('echo $$', secured({ namespaceOptions: { pid: 'CONTAINER' } }))).toBe('1');
    });

    test('containers of a pod that share processes see each other', async () => {
      const sandbox = await kit.runSandbox(sharing({ pid: 'POD' }).pod);
      await kit.start(sandbox, ['sleep', '4321'], secured({ namespaceOptions: { pid: 'POD' } }));
      const { containerId } = await startIn(sandbox, { pid: 'POD' });
      expect(await kit.execText(containerId, 'ps -o args')).toContain('sleep 4321');
    });

    test('containers of a pod that do not share see only themselves', async () => {
      const options: NamespaceOption = { pid: 'CONTAINER' };
      const sandbox = await kit.runSandbox(sharing(options).pod);
      await kit.start(sandbox, ['sleep', '4321'], secured({ namespaceOptions: options }));
      const { containerId } = await startIn(sandbox, options);
      expect(await kit.execText(containerId, 'ps -o args')).not.toContain('sleep 4321');
    });

    test('a target’s processes are seen by who joins them', async () => {
      const options: NamespaceOption = { pid: 'CONTAINER' };
      const sandbox = await kit.runSandbox(sharing(options).pod);
      const target = await kit.start(sandbox, ['sleep', '4321'], secured({ namespaceOptions: options }));
      const { containerId } = await startIn(sandbox, { pid: 'TARGET', targetId: target.containerId });
      expect(await kit.execText(containerId, 'ps -o args')).toContain('sleep 4321');
    });

    test('on the host’s processes it sees the host’s', async () => {
      const { pod, container } = sharing({ pid: 'NODE' });
      const { containerId } = await kit.run(['sleep', '1000'], container, pod);
      const seen = await kit.execText(containerId, `test -d /proc/${process.pid} && readlink /proc/self/ns/pid`);
      expect(seen).toBe(await readlink('/proc/self/ns/pid'));
    });

    test('on the host’s shared memory it has the host’s', async () => {
      const { pod, container } = sharing({ ipc: 'NODE', pid: 'CONTAINER' });
      expect(await kit.output('readlink /proc/self/ns/ipc', container, pod)).toBe(await readlink('/proc/self/ns/ipc'));
      expect(await kit.output('readlink /proc/self/ns/ipc')).not.toBe(await readlink('/proc/self/ns/ipc'));
    });

    test('containers of a pod share memory', async () => {
      const sandbox = await kit.runSandbox();
      const { containerId: writer } = await kit.start(sandbox, ['sh', '-c', 'echo shared >/dev/shm/note']);
      await kit.exitOf(writer);
      const { containerId } = await kit.start(sandbox, ['sleep', '1000']);
      expect(await kit.execText(containerId, 'cat /dev/shm/note')).toBe('shared');
    });

    test('on the host’s network its name is what the pod says, or the host’s', async () => {
      const { pod, container } = sharing({ network: 'NODE' });
      expect(await kit.output('ls /sys/class/net | grep -c lo', container, { ...pod, hostname: '' })).toBe('1');
    });
  });
  if (abilities.userNamespaces) describeUserNamespaces(kit);
}

function describeUserNamespaces(kit: Kit): void {
  const [hostId, length] = [200_000, 65_536];
  const mappings = [{ hostId, containerId: 0, length }];
  const withUsers = (options: NamespaceOption) => sharing({ ...options, usernsOptions: { mode: 'POD', uids: mappings, gids: mappings } });

  describe('a pod with users of its own', () => {
    test('root inside is nobody outside, and owns the image’s files', async () => {
      const { pod, container } = withUsers({ pid: 'CONTAINER' });
      const script = 'echo $(id -u) $(cat /proc/self/uid_map); touch /bin/new && stat -c %u /bin/busybox';
      expect(await kit.output(script, container, pod)).toBe(`0 0 ${hostId} ${length}\n0`);
    });

    test('a volume’s files keep their owners, inside and outside', async () => {
      const source = await mkdtemp(join(tmpdir(), 'orrery-volume-'));
      try {
        await writeFile(join(source, 'secret'), 'hello', { mode: 0o600 });
        const { pod, container } = withUsers({ pid: 'CONTAINER' });
        const mounts = [{ containerPath: '/volume', hostPath: source, uidMappings: mappings, gidMappings: mappings }];
        expect(await kit.output('cat /volume/secret && echo new >/volume/new', { ...container, mounts }, pod)).toBe('hello');
        expect((await stat(join(source, 'new'))).uid).toBe(process.getuid?.());
      } finally {
        await rm(source, { recursive: true });
      }
    });

    test('root may change the pod’s network and nothing of the host', async () => {
      const { pod, container } = withUsers({ pid: 'CONTAINER' });
      const context = { ...container.linux?.securityContext, capabilities: { addCapabilities: ['NET_ADMIN', 'SYS_ADMIN', 'MKNOD'] } };
      const script = 'ip link set lo down && ip link set lo up && echo net; mknod /disk b 7 0 2>/dev/null || echo refused';
      expect(await kit.output(script, { ...container, linux: { ...container.linux, securityContext: context } }, pod)).toBe('net\nrefused');
    });

    test('its containers share what pods share, exec included, and the host’s devices stay the host’s', async () => {
      const before = await stat('/dev/null');
      const { pod, container } = withUsers({ pid: 'POD' });
      const sandbox = await kit.runSandbox(pod);
      const one = await kit.start(sandbox, ['sleep', '4321'], container);
      const two = await kit.start(sandbox, ['sleep', '1000'], container);
      await kit.execText(one.containerId, 'echo shared >/dev/shm/note');
      expect(await kit.execText(two.containerId, 'cat /dev/shm/note; ps -o args | grep -c "[s]leep 4321"; id -u')).toBe('shared\n1\n0');
      const user = 'readlink /proc/self/ns/user';
      expect(await kit.execText(two.containerId, user)).toBe(await kit.execText(one.containerId, user));
      const after = await stat('/dev/null');
      expect([after.uid, after.gid, after.mode]).toEqual([before.uid, before.gid, before.mode]);
    });
  });
}

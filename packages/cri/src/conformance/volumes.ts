import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { MountPropagation } from '../generated/cri-v1.ts';
import type { RuntimeAbilities } from './abilities.ts';
import type { Kit } from './kit.ts';

const run = promisify(execFile);

export function describeVolumes(kit: Kit, abilities: RuntimeAbilities): void {
  const volumeWith = async (content: string): Promise<string> => {
    const volume = await mkdtemp(join(kit.directory, 'volume-'));
    await writeFile(join(volume, 'key'), content);
    return volume;
  };

  describe('volumes', () => {
    test('are seen at their paths, read-only ones refuse writes', async () => {
      const volume = await volumeWith('value');
      const mounts = [
        { hostPath: volume, containerPath: '/orrery-test/rw' },
        { hostPath: volume, containerPath: '/orrery-test/ro', readonly: true },
        { hostPath: join(volume, 'key'), containerPath: '/orrery-test/file' },
      ];
      const script = 'cat /orrery-test/file; echo; echo new >/orrery-test/rw/new; echo x 2>/dev/null >/orrery-test/ro/no || echo refused';
      expect(await kit.output(script, { mounts })).toBe('value\nrefused');
      expect(await readFile(join(volume, 'new'), 'utf8')).toBe('new\n');
    });

    test('a path on the host that is a link leads where the link does', async () => {
      const volume = await volumeWith('linked');
      await symlink(volume, join(kit.directory, 'link'));
      const mounts = [{ hostPath: join(kit.directory, 'link'), containerPath: '/orrery-test/v' }];
      expect(await kit.output('cat /orrery-test/v/key', { mounts })).toBe('linked');
    });

    test('one volume lies in another', async () => {
      const [outer, inner] = [await volumeWith('outer'), await volumeWith('inner')];
      await mkdir(join(outer, 'sub'));
      const mounts = [
        { hostPath: outer, containerPath: '/orrery-test' },
        { hostPath: inner, containerPath: '/orrery-test/sub' },
      ];
      expect(await kit.output('cat /orrery-test/key /orrery-test/sub/key', { mounts })).toBe('outerinner');
    });

    test('two containers of a pod share one', async () => {
      const mounts = [{ hostPath: await volumeWith('x'), containerPath: '/orrery-test' }];
      const sandbox = await kit.runSandbox();
      const { containerId: writer } = await kit.start(sandbox, ['sh', '-c', 'echo shared >/orrery-test/new'], { mounts });
      await kit.exitOf(writer);
      const { containerId } = await kit.start(sandbox, ['sleep', '1000'], { mounts });
      expect(await kit.execText(containerId, 'cat /orrery-test/new')).toBe('shared');
    });

    test('what goes away on the host keeps no sandbox from being removed', async () => {
      const volume = await volumeWith('x');
      const { containerId } = await kit.run(['sleep', '1000'], { mounts: [{ hostPath: volume, containerPath: '/orrery-test' }] });
      await run('rm', ['-r', volume]);
      await kit.runtime.stopContainer({ containerId, timeout: 0 });
      await kit.runtime.removeContainer({ containerId });
    });
  });
  if (abilities.images) describeMissingPaths(kit);
  if (abilities.propagation) describePropagation(kit);
}

function describeMissingPaths(kit: Kit): void {
  test('a path that the host does not have becomes a directory', async () => {
    const hostPath = join(kit.directory, 'missing', 'deep');
    expect(await kit.output('ls -d /orrery-test', { mounts: [{ hostPath, containerPath: '/orrery-test' }] })).toBe('/orrery-test');
    expect((await stat(hostPath)).isDirectory()).toBe(true);
  });
}

function describePropagation(kit: Kit): void {
  /** A directory that passes on what is mounted in it, as the node's own directories do. */
  const sharedVolume = async () => {
    const volume = await mkdtemp(join(kit.directory, 'volume-'));
    await mkdir(join(volume, 'inner'));
    await run('mount', ['--bind', volume, volume]);
    await run('mount', ['--make-shared', volume]);
    return { volume, release: () => run('umount', ['-R', volume]) };
  };
  const started = (volume: string, propagation: MountPropagation) =>
    kit.run(['sleep', '1000'], {
      mounts: [{ hostPath: volume, containerPath: '/orrery-test', propagation }],
      linux: { securityContext: { privileged: propagation === 'PROPAGATION_BIDIRECTIONAL' } },
    });

  describe('mount propagation', () => {
    test.each([
      ['PROPAGATION_PRIVATE', ''],
      ['PROPAGATION_HOST_TO_CONTAINER', 'late'],
    ] as const)('%s: what the host mounts later is seen as %j', async (propagation, seen) => {
      const { volume, release } = await sharedVolume();
      try {
        const { containerId } = await started(volume, propagation);
        await run('mount', ['-t', 'tmpfs', 'orrery-test', join(volume, 'inner')]);
        await writeFile(join(volume, 'inner', 'key'), 'late');
        expect(await kit.execText(containerId, 'cat /orrery-test/inner/key 2>/dev/null')).toBe(seen);
        await kit.runtime.stopContainer({ containerId, timeout: 0 });
      } finally {
        await release();
      }
    });

    test('PROPAGATION_BIDIRECTIONAL: what the container mounts is seen by the host', async () => {
      const { volume, release } = await sharedVolume();
      try {
        const pod = { linux: { securityContext: { privileged: true } } };
        const { containerId } = await kit.run(
          ['sh', '-c', 'mount -t tmpfs orrery-test /orrery-test/inner && echo inside >/orrery-test/inner/key && sleep 1000'],
          {
            mounts: [{ hostPath: volume, containerPath: '/orrery-test', propagation: 'PROPAGATION_BIDIRECTIONAL' }],
            linux: { securityContext: { privileged: true } },
          },
          pod,
        );
        const { eventually } = await import('./eventually.ts');
        const read = () => readFile(join(volume, 'inner', 'key'), 'utf8').catch(() => undefined);
        expect(await eventually(read, 'the mount on the host')).toBe('inside\n');
        await kit.runtime.stopContainer({ containerId, timeout: 0 });
      } finally {
        await release();
      }
    });
  });
}

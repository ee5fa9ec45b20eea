import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { realClock, systemRandom } from '@orrery/base';
import type { ContainerConfig, LinuxContainerSecurityContext, NamespaceMode, PodSandboxConfig } from '@orrery/cri';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newPlainNetwork } from './driver-test/plain-network.ts';
import { findOciRuntime } from './host/find-oci-runtime.ts';
import { mountsBelow } from './host/mount-table.ts';
import { openImageStore } from './images/open-image-store.ts';
import { type OciRuntime, openOciRuntime } from './oci-runtime.ts';
import { busyboxImage } from './testing/index.ts';

const image = 'orrery.test/busybox:1';
const kinds = await Promise.all(
  ['crun', 'runc'].map(async (kind) => {
    const { runtimes, problems } = await findOciRuntime(process.env['PATH'], kind);
    return { kind, usable: process.geteuid?.() === 0 && runtimes.length > 0 && problems.length === 0 };
  }),
);

describe.each(kinds)('isolation on $kind', ({ kind, usable }) => {
  describe.skipIf(!usable)('of containers', () => {
    let directory: string;
    let runtime: OciRuntime;
    let counter = 0;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'orrery-oci-'));
      const images = await openImageStore({ directory: join(directory, 'images'), clock: realClock, random: systemRandom });
      await images.load(Readable.from([busyboxImage().archive(image)]));
      const instanceId = `i${process.pid}`;
      runtime = await openOciRuntime({
        directory: join(directory, 'oci'),
        clock: realClock,
        random: systemRandom,
        instanceId,
        network: newPlainNetwork(`orrery-${instanceId}-${kind}`),
        images,
        ociRuntime: kind,
        environment: process.env,
      });
    });
    afterAll(async () => {
      const { items = [] } = await runtime.listPodSandbox({});
      for (const { id = '' } of items) await runtime.removePodSandbox({ podSandboxId: id });
      await runtime.close();
      expect(mountsBelow(directory)).toEqual([]);
      await rm(directory, { recursive: true, force: true });
    });

    const runSandbox = async (extra: Partial<PodSandboxConfig> = {}) => {
      counter += 1;
      const metadata = { name: `pod-${counter}`, uid: `uid-${counter}`, namespace: 'default', attempt: 0 };
      const config = { metadata, hostname: `pod-${counter}`, logDirectory: join(directory, 'logs'), ...extra };
      const { podSandboxId = '' } = await runtime.runPodSandbox({ config });
      return { podSandboxId, config };
    };
    const start = async (
      sandbox: { podSandboxId: string; config: PodSandboxConfig },
      script: string,
      extra: Partial<ContainerConfig> = {},
    ) => {
      counter += 1;
      const config: ContainerConfig = {
        metadata: { name: `c-${counter}`, attempt: 0 },
        image: { image },
        command: ['sh', '-c', script],
        logPath: `c-${counter}.log`,
        ...extra,
      };
      const { containerId = '' } = await runtime.createContainer({ podSandboxId: sandbox.podSandboxId, config });
      await runtime.startContainer({ containerId });
      return { containerId, log: join(directory, 'logs', `c-${counter}.log`) };
    };
    const exited = async (containerId: string) => {
      for (;;) {
        const { status = {} } = await runtime.containerStatus({ containerId });
        if (status.state === 'CONTAINER_EXITED') return status;
        await realClock.sleep(10);
      }
    };
    /** Runs a script to its end; what it wrote. */
    const output = async (script: string, extra: Partial<ContainerConfig> = {}, pod: Partial<PodSandboxConfig> = {}) => {
      const { containerId, log } = await start(await runSandbox(pod), script, extra);
      await exited(containerId);
      const text = await readFile(log, 'utf8');
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' ').slice(3).join(' '))
        .join('\n');
    };
    const context = (securityContext: LinuxContainerSecurityContext): Partial<ContainerConfig> => ({ linux: { securityContext } });
    const execText = async (containerId: string, script: string) => {
      const { stdout, stderr } = await runtime.execSync({ containerId, cmd: ['sh', '-c', script] });
      return (Buffer.from(stdout ?? []).toString() + Buffer.from(stderr ?? []).toString()).trim();
    };
    const pod = (options: { pid?: NamespaceMode; network?: NamespaceMode; ipc?: NamespaceMode }): Partial<PodSandboxConfig> => ({
      linux: { securityContext: { namespaceOptions: options } },
    });

    test('a container sees its own name, processes and files', async () => {
      const text = await output(
        'hostname; echo $HOSTNAME; echo $$; cat /etc/hostname; stat -c %a /dev/shm; echo x >/dev/shm/x && echo shm',
      );
      const name = text.split('\n')[0];
      expect(text).toBe(`${name}\n${name}\n1\n${name}\n1777\nshm`);
    });

    test('the resolver is the pod’s', async () => {
      const dnsConfig = { servers: ['10.96.0.10'], searches: ['default.svc.cluster.local', 'svc.cluster.local'], options: ['ndots:5'] };
      expect(await output('cat /etc/resolv.conf', {}, { dnsConfig })).toBe(
        'nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local\noptions ndots:5',
      );
    });

    test('user, groups and capabilities are what the pod says', async () => {
      const ids = context({ runAsUser: { value: 1234 }, runAsGroup: { value: 77 }, supplementalGroups: [5, 6] });
      expect(await output('id -u; id -g; id -G', ids)).toBe('1234\n77\n77 5 6');
      const dropped = context({ capabilities: { dropCapabilities: ['ALL'], addCapabilities: ['NET_BIND_SERVICE'] } });
      expect(await output('grep CapEff /proc/self/status', dropped)).toContain('0000000000000400');
      expect(await output('grep NoNewPrivs /proc/self/status', context({ noNewPrivs: true }))).toMatch(/1$/);
    });

    test('a read-only root refuses writes; seccomp filters; masked paths are hidden; /proc/sys is read-only', async () => {
      expect(await output('echo x 2>/dev/null >/x || echo refused', context({ readonlyRootfs: true }))).toBe('refused');
      expect(await output('grep Seccomp: /proc/self/status', context({ seccomp: { profileType: 'RuntimeDefault' } }))).toMatch(/2$/);
      expect(
        await output('cat /proc/timer_list | head -c 1 | wc -c; echo 1 2>/dev/null >/proc/sys/net/ipv4/ip_forward || echo refused'),
      ).toBe('0\nrefused');
    });

    test('a privileged container may mount and sees devices', async () => {
      expect(await output('mkdir -p /m && mount -t tmpfs t /m && echo mounted; ls /dev/kmsg', context({ privileged: true }))).toBe(
        'mounted\n/dev/kmsg',
      );
    });

    test('containers of a pod share network, ipc and memory, and processes when asked', async () => {
      const sandbox = await runSandbox(pod({ pid: 'POD' }));
      const share = context({ namespaceOptions: { pid: 'POD' } });
      const one = await start(sandbox, 'echo from-one >/dev/shm/m; sleep 1000', share);
      const two = await start(sandbox, 'sleep 1000', share);
      const namespaces = 'for n in net ipc pid; do ls -l /proc/self/ns/$n; done | grep -o "[a-z]*:.*"';
      expect(await execText(two.containerId, namespaces)).toBe(await execText(one.containerId, namespaces));
      expect(await execText(two.containerId, 'cat /dev/shm/m')).toBe('from-one');
      expect(await execText(two.containerId, 'ps | grep -c "sleep 1000"')).not.toBe('1');
      expect((await runtime.listContainers({ filter: { podSandboxId: sandbox.podSandboxId } })).containers).toHaveLength(2);
      await runtime.stopPodSandbox({ podSandboxId: sandbox.podSandboxId });
    });

    test('an ephemeral container joins its target’s processes', async () => {
      const sandbox = await runSandbox();
      const target = await start(sandbox, 'exec sleep 4321');
      const joined = await start(sandbox, 'ps; sleep 1000', context({ namespaceOptions: { pid: 'TARGET', targetId: target.containerId } }));
      expect(await execText(joined.containerId, 'ps')).toContain('sleep 4321');
      await runtime.stopContainer({ containerId: joined.containerId, timeout: 0 });
      expect((await runtime.containerStatus({ containerId: target.containerId })).status?.state).toBe('CONTAINER_RUNNING');
    });

    test('host namespaces are the host’s', async () => {
      const options = { pid: 'NODE', network: 'NODE', ipc: 'NODE' } as const;
      const hostNet = await output(
        'ls -l /proc/self/ns/ipc /proc/self/ns/net /proc/self/ns/pid | grep -o "[a-z]*:\\[.*"',
        context({ namespaceOptions: options }),
        pod(options),
      );
      const { readlink } = await import('node:fs/promises');
      const own = await Promise.all(['ipc', 'net', 'pid'].map((name) => readlink(`/proc/self/ns/${name}`)));
      expect(hostNet.split('\n')).toEqual(own);
    });

    test('limits hold, are shown, and change while it runs', async () => {
      const resources = { memoryLimitInBytes: 32 * 2 ** 20, cpuQuota: 50_000, cpuPeriod: 100_000, cpuShares: 512 };
      const { containerId } = await start(await runSandbox(), 'sleep 1000', { linux: { resources } });
      const v1 = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null';
      const v2 = 'cat /sys/fs/cgroup/memory.max; cut -d" " -f1 /sys/fs/cgroup/cpu.max';
      expect(await execText(containerId, `${v1} || { ${v2}; }`)).toBe('33554432\n50000');
      await runtime.updateContainerResources({
        containerId,
        linux: { memoryLimitInBytes: 64 * 2 ** 20, cpuQuota: 70_000, cpuPeriod: 100_000 },
      });
      expect(await execText(containerId, `${v1} || { ${v2}; }`)).toBe('67108864\n70000');
      expect((await runtime.containerStatus({ containerId })).status?.resources?.linux).toMatchObject({
        memoryLimitInBytes: 64 * 2 ** 20,
        cpuShares: 512,
      });
      expect((await runtime.listContainerStats({ filter: { id: containerId } })).stats?.[0]?.memory?.availableBytes?.value).toBeGreaterThan(
        0,
      );
    });

    test('what takes too much memory is killed, and that is told', async () => {
      const { containerId } = await start(await runSandbox(), 'x=$(dd if=/dev/zero bs=1M count=200 2>/dev/null | tr "\\0" x); echo no', {
        linux: { resources: { memoryLimitInBytes: 16 * 2 ** 20 } },
      });
      expect(await exited(containerId)).toMatchObject({ reason: 'OOMKilled' });
    });

    test('sysctls of the pod’s own namespaces are set, those of the host refused', async () => {
      const sysctls = { 'net.core.somaxconn': '777', 'kernel.shm_rmid_forced': '1' };
      expect(await output('cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shm_rmid_forced', {}, { linux: { sysctls } })).toBe('777\n1');
      await expect(runSandbox({ linux: { sysctls: { 'kernel.panic': '1' } } })).rejects.toThrow('not separate');
    });

    test('mounts: read-only below too, an image as a volume, a missing folder is made', async () => {
      const volume = join(directory, 'volume', 'deep');
      await mkdir(volume, { recursive: true });
      await writeFile(join(volume, 'key'), 'value\n');
      const mounts = [
        { hostPath: join(directory, 'volume'), containerPath: '/v/outer' },
        { hostPath: volume, containerPath: '/v/outer/deep', readonly: true },
        { containerPath: '/image', image: { image }, readonly: true },
        { hostPath: join(directory, 'made'), containerPath: '/made' },
      ];
      expect(
        await output(
          'cat /v/outer/deep/key; touch /v/outer/deep/x 2>/dev/null || echo ro; ls /image/bin/sh; touch /image/x 2>/dev/null || echo ro; touch /made/x && echo made',
          { mounts },
        ),
      ).toBe('value\nro\n/image/bin/sh\nro\nmade');
    });

    test('a port of the pod’s localhost is reached', async () => {
      const sandbox = await runSandbox();
      const { containerId } = await start(sandbox, 'mkdir /www; echo hello >/www/index.html; httpd -f -h /www -p 127.0.0.1:8080');
      await execText(containerId, 'sleep 0.2');
      const [readable, writable] = [PassThrough.from([Buffer.from('GET / HTTP/1.0\r\n\r\n')]), new PassThrough()];
      let text = '';
      writable.on('data', (chunk: Buffer) => (text += String(chunk)));
      await runtime.portForward({ podSandboxId: sandbox.podSandboxId, port: 8080 }, { readable, writable }, new AbortController().signal);
      expect(text).toContain('hello');
      const nothing = { readable: PassThrough.from([]), writable: new PassThrough() };
      await expect(
        runtime.portForward({ podSandboxId: sandbox.podSandboxId, port: 9 }, nothing, new AbortController().signal),
      ).rejects.toThrow('refused');
    });

    test('an exec knows what it may not run and what does not exist', async () => {
      const { containerId } = await start(await runSandbox(), 'touch /plain; sleep 1000');
      await expect(runtime.execSync({ containerId, cmd: ['/no/such'] })).rejects.toThrow('no such file or directory');
      await expect(runtime.execSync({ containerId, cmd: ['/plain'] })).rejects.toThrow('permission denied');
      expect((await runtime.execSync({ containerId, cmd: ['sh', '-c', 'exit 127'] })).exitCode).toBe(127);
      expect((await runtime.execSync({ containerId, cmd: ['sh', '-c', 'kill -9 $$'] })).exitCode).toBe(137);
    });
  });
});

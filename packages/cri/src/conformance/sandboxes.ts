import { createConnection } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { RuntimeAbilities } from './abilities.ts';
import { eventually } from './eventually.ts';
import { inPod, type Kit } from './kit.ts';

export function describeSandboxes(kit: Kit, abilities: RuntimeAbilities): void {
  describe('sandboxes', () => {
    test('a sandbox is ready, has an address, and is listed by label and state', async () => {
      const { podSandboxId, config } = await kit.runSandbox({ annotations: { note: 'kept' } });
      const { status } = await kit.runtime.podSandboxStatus({ podSandboxId });
      expect(status).toMatchObject({ id: podSandboxId, state: 'SANDBOX_READY', metadata: { ...config.metadata } });
      expect(status).toMatchObject({ labels: config.labels, annotations: { note: 'kept' } });
      expect(status?.network?.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      const filter = { labelSelector: config.labels ?? {}, state: { state: 'SANDBOX_READY' } } as const;
      const listed = await kit.runtime.listPodSandbox({ filter });
      expect(listed.items?.map(({ id }) => id)).toEqual([podSandboxId]);
    });

    test('lists filter by id, state and label, and all of them at once', async () => {
      const [one, two] = [await kit.runSandbox(), await kit.runSandbox()];
      await kit.runtime.stopPodSandbox({ podSandboxId: two.podSandboxId });
      const found = async (filter: object): Promise<readonly (string | undefined)[]> =>
        ((await kit.runtime.listPodSandbox({ filter })).items ?? []).map(({ id }) => id);
      expect(new Set(await found({}))).toEqual(new Set([one.podSandboxId, two.podSandboxId]));
      expect(await found({ id: one.podSandboxId })).toEqual([one.podSandboxId]);
      expect(await found({ state: { state: 'SANDBOX_NOTREADY' } })).toEqual([two.podSandboxId]);
      expect(await found({ labelSelector: { app: 'nobody' } })).toEqual([]);
      expect(await found({ id: one.podSandboxId, state: { state: 'SANDBOX_NOTREADY' } })).toEqual([]);
    });

    test('two sandboxes have different addresses', async () => {
      const addresses = await Promise.all(
        [await kit.runSandbox(), await kit.runSandbox()].map(
          async ({ podSandboxId }) => (await kit.runtime.podSandboxStatus({ podSandboxId })).status?.network?.ip,
        ),
      );
      expect(new Set(addresses).size).toBe(2);
    });

    test('stopping a sandbox ends its containers, twice is fine; removing it forgets it, twice too', async () => {
      const sandbox = await kit.runSandbox();
      const { podSandboxId } = sandbox;
      const { containerId } = await kit.start(sandbox, ['sleep', '1000']);
      await kit.runtime.stopPodSandbox({ podSandboxId });
      await kit.runtime.stopPodSandbox({ podSandboxId });
      expect((await kit.runtime.podSandboxStatus({ podSandboxId })).status?.state).toBe('SANDBOX_NOTREADY');
      expect((await kit.exitOf(containerId)).state).toBe('CONTAINER_EXITED');
      await kit.runtime.removePodSandbox({ podSandboxId });
      await kit.runtime.removePodSandbox({ podSandboxId });
      expect(await kit.codeOf(kit.runtime.podSandboxStatus({ podSandboxId }))).toBe('NOT_FOUND');
      expect(await kit.codeOf(kit.runtime.containerStatus({ containerId }))).toBe('NOT_FOUND');
    });

    test('removing a sandbox that runs ends what is in it', async () => {
      const sandbox = await kit.runSandbox();
      await kit.start(sandbox, ['sleep', '1000']);
      await kit.runtime.removePodSandbox({ podSandboxId: sandbox.podSandboxId });
      expect((await kit.runtime.listContainers({})).containers ?? []).toEqual([]);
    });

    test('stopping and removing what never was succeeds', async () => {
      const podSandboxId = '0'.repeat(64);
      await kit.runtime.stopPodSandbox({ podSandboxId });
      await kit.runtime.removePodSandbox({ podSandboxId });
    });

    test('no container is created in a sandbox that is stopped or unknown', async () => {
      const sandbox = await kit.runSandbox();
      await kit.runtime.stopPodSandbox({ podSandboxId: sandbox.podSandboxId });
      await expect(kit.create(sandbox, ['true'])).rejects.toThrow();
      await expect(kit.create({ ...sandbox, podSandboxId: '0'.repeat(64) }, ['true'])).rejects.toThrow();
    });

    test('the resolver is what the pod says', async () => {
      const dnsConfig = { servers: ['10.96.0.10'], searches: ['default.svc.cluster.local', 'svc.cluster.local'], options: ['ndots:5'] };
      const lines = (await kit.output('cat /etc/resolv.conf', {}, { dnsConfig })).split('\n').sort();
      expect(lines).toEqual(['nameserver 10.96.0.10', 'options ndots:5', 'search default.svc.cluster.local svc.cluster.local']);
    });

    test('the host’s network is the host’s', async () => {
      const { podSandboxId } = await kit.runSandbox({
        ...inPod({ securityContext: { namespaceOptions: { network: 'NODE' } } }),
        hostname: '', // It is the host's, and nobody may change that.
      });
      expect((await kit.runtime.podSandboxStatus({ podSandboxId })).status?.state).toBe('SANDBOX_READY');
    });
  });
  if (abilities.isolation) describeIsolatedSandboxes(kit);
  if (abilities.hostPorts) describeHostPorts(kit);
}

function describeIsolatedSandboxes(kit: Kit): void {
  describe('sandboxes of their own', () => {
    test('the host name is the pod’s, and each pod’s alone', async () => {
      expect(await kit.output('hostname', {}, { hostname: 'orrery-one' })).toBe('orrery-one');
      expect(await kit.output('hostname', {}, { hostname: 'orrery-two' })).toBe('orrery-two');
    });

    test('sysctls hold in the pod and nowhere else', async () => {
      const sysctls = { 'net.ipv4.ip_local_port_range': '20000 30000', 'kernel.shm_rmid_forced': '1' };
      const script = 'cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/shm_rmid_forced';
      expect((await kit.output(script, {}, inPod({ sysctls }))).split(/\s+/)).toEqual(['20000', '30000', '1']);
      expect(await kit.output(script)).not.toContain('20000');
    });

    test('containers of a pod share its network, and reach each other on loopback', async () => {
      const sandbox = await kit.runSandbox();
      await kit.start(sandbox, ['sh', '-c', 'while :; do echo hello | nc -l -p 8080; done']);
      const { containerId } = await kit.start(sandbox, ['sleep', '1000']);
      const said = await eventually(
        async () => (await kit.execText(containerId, 'nc 127.0.0.1 8080 </dev/null')) || undefined,
        'an answer of the other container',
      );
      expect(said).toBe('hello');
    });

    test('the address in the status is the one that the pod has', async () => {
      const sandbox = await kit.runSandbox();
      const { containerId } = await kit.start(sandbox, ['sleep', '1000']);
      const address = (await kit.runtime.podSandboxStatus({ podSandboxId: sandbox.podSandboxId })).status?.network?.ip ?? '';
      expect(await kit.execText(containerId, 'ip -o -4 addr')).toContain(` ${address}/`);
    });
  });
}

function describeHostPorts(kit: Kit): void {
  describe('host ports', () => {
    test('a host port leads to the pod until it stops', async () => {
      const hostPort = 20_000 + (process.pid % 10_000);
      const portMappings = [{ protocol: 'TCP', containerPort: 8080, hostPort }] as const;
      const sandbox = await kit.runSandbox({ portMappings });
      await kit.start(sandbox, ['sh', '-c', 'while :; do echo hello | nc -l -p 8080; done']);
      const address = kit.host.hostAddress ?? '127.0.0.1';
      expect(await eventually(() => heard(address, hostPort), 'an answer at the host port')).toBe('hello');
      await kit.runtime.stopPodSandbox({ podSandboxId: sandbox.podSandboxId });
      expect(await heard(address, hostPort)).toBeUndefined();
    });
  });
}

/** What a server says first; undefined when there is none. */
const heard = (host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    let text = '';
    const socket = createConnection({ host, port, timeout: 1000 });
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text.trim() || undefined));
  });

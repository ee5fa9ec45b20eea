import { describe, expect, test } from 'vitest';
import type { RuntimeAbilities } from './abilities.ts';
import { inPod, type Kit, secured } from './kit.ts';

const CHOWN = 0;
const NET_RAW = 13;
const SYS_TIME = 25;
const has = (mask: string, capability: number): boolean => ((BigInt(`0x${mask}`) >> BigInt(capability)) & 1n) === 1n;

export function describeSecurity(kit: Kit, abilities: RuntimeAbilities): void {
  if (abilities.users) describeUsers(kit);
  if (abilities.users) describePrivileges(kit);
  if (abilities.images) describeNamedUsers(kit);
  if (abilities.isolation) describeConfinement(kit);
}

function describeUsers(kit: Kit): void {
  describe('users', () => {
    test('user, group and supplemental groups are the pod’s', async () => {
      const context = secured({ runAsUser: { value: 2000 }, runAsGroup: { value: 3000 }, supplementalGroups: [7, 8] });
      const groups = await kit.output('echo $(id -u) $(id -g) $(id -G)', context);
      const [user, group, ...others] = groups.split(' ');
      expect([user, group]).toEqual(['2000', '3000']);
      expect(new Set(others)).toEqual(new Set(['3000', '7', '8']));
    });

    test('exec runs as the same user', async () => {
      const { containerId } = await kit.run(['sleep', '1000'], secured({ runAsUser: { value: 2000 }, runAsGroup: { value: 3000 } }));
      expect(await kit.execText(containerId, 'echo $(id -u):$(id -g)')).toBe('2000:3000');
    });
  });
}

function describeNamedUsers(kit: Kit): void {
  describe('users of the image', () => {
    test('by name: user, its group and its other groups', async () => {
      const groups = await kit.output('echo $(id -u) $(id -g) $(id -G)', secured({ runAsUsername: 'tester' }));
      const [user, group, ...others] = groups.split(' ');
      expect([user, group]).toEqual(['1234', '4321']);
      expect(others).toContain('5555');
    });

    test('one that the image does not have fails the creation or the start', async () => {
      await expect(kit.run(['true'], secured({ runAsUsername: 'nobody-knows' }))).rejects.toThrow();
    });
  });
}

function describePrivileges(kit: Kit): void {
  const effective = async (kit: Kit, ...more: Parameters<Kit['output']> extends [string, ...infer Rest] ? Rest : never) =>
    kit.output("awk '/^CapEff/ { print $2 }' /proc/self/status", ...more);

  describe('privileges', () => {
    test('dropped capabilities are gone, the others stay', async () => {
      const mask = await effective(kit, secured({ capabilities: { dropCapabilities: ['NET_RAW'] } }));
      expect([has(mask, NET_RAW), has(mask, CHOWN)]).toEqual([false, true]);
    });

    test('ALL drops all', async () => {
      expect(BigInt(`0x${await effective(kit, secured({ capabilities: { dropCapabilities: ['ALL'] } }))}`)).toBe(0n);
    });

    test('no_new_privs is set when asked for', async () => {
      const script = "awk '/^NoNewPrivs/ { print $2 }' /proc/self/status";
      expect(await kit.output(script, secured({ noNewPrivs: true }))).toBe('1');
      expect(await kit.output(script, secured({ noNewPrivs: false }))).toBe('0');
    });

    test('a read-only root takes no writes', async () => {
      expect(await kit.output('echo x 2>/dev/null >/orrery-file || echo refused', secured({ readonlyRootfs: true }))).toBe('refused');
    });

    test('a profile of AppArmor that this kernel cannot have is no obstacle when unconfined', async () => {
      expect(await kit.output('echo ran', secured({ apparmor: { profileType: 'Unconfined' } }))).toBe('ran');
    });
  });
}

function describeConfinement(kit: Kit): void {
  const capabilities = "awk '/^CapEff/ { print $2 }' /proc/self/status";
  const filter = "awk '/^Seccomp:/ { print $2 }' /proc/self/status";
  const privilegedPod = inPod({ securityContext: { privileged: true } });

  describe('confinement', () => {
    test('capabilities are the usual few, and those that are added', async () => {
      expect(has(await kit.output(capabilities), SYS_TIME)).toBe(false);
      const addable = has(await ownCapabilities(), SYS_TIME); // A machine may lack it itself.
      const added = await kit.output(capabilities, addable ? secured({ capabilities: { addCapabilities: ['SYS_TIME'] } }) : {});
      expect(has(added, SYS_TIME)).toBe(addable);
    });

    test('seccomp: a filter by default, none when unconfined', async () => {
      expect(await kit.output(filter, secured({ seccomp: { profileType: 'RuntimeDefault' } }))).toBe('2');
      expect(await kit.output(filter, secured({ seccomp: { profileType: 'Unconfined' } }))).toBe('0');
    });

    test('the default filter lets a container make no user namespace', async () => {
      const script = 'busybox unshare -U true 2>/dev/null && echo made || echo refused';
      expect(await kit.output(script, secured({ seccomp: { profileType: 'RuntimeDefault' } }))).toBe('refused');
    });

    test('masked paths are empty, read-only ones refuse writes', async () => {
      const context = secured({ maskedPaths: ['/proc/kcore', '/proc/keys'], readonlyPaths: ['/proc/sys'] });
      const script = 'wc -c </proc/keys; echo x 2>/dev/null >/proc/sys/kernel/domainname || echo refused';
      expect(await kit.output(script, context)).toBe('0\nrefused');
    });

    test('a privileged container has the host’s devices and is not confined', async () => {
      const context = secured({ privileged: true });
      expect(await kit.output(filter, context, privilegedPod)).toBe('0');
      expect(await kit.output('ls /dev/kmsg /dev/loop-control 2>/dev/null | head -1; true', context, privilegedPod)).toMatch(/^\/dev\//);
      expect(await kit.output(capabilities, context, privilegedPod)).not.toBe(await kit.output(capabilities));
    });

    test('a privileged container may mount', async () => {
      const script = 'mkdir -p /tmp/m && mount -t tmpfs none /tmp/m && echo mounted';
      expect(await kit.output(script, secured({ privileged: true }), privilegedPod)).toBe('mounted');
      expect(await kit.output(`(${script}) 2>/dev/null || echo refused`)).toBe('refused');
    });

    test('devices of the pod are there', async () => {
      const devices = [{ hostPath: '/dev/null', containerPath: '/dev/orrery-null', permissions: 'rw' }];
      expect(await kit.output('echo x >/dev/orrery-null && echo written', { devices })).toBe('written');
    });
  });
}

async function ownCapabilities(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return /^CapEff:\s*(\w+)/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0';
}

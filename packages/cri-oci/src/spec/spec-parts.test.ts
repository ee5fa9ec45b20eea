import { describe, expect, test } from 'vitest';
import { startFailure } from '../container/failure.ts';
import { signalNumber } from '../container/signals.ts';
import { mountFacts, parseMountTable } from '../host/mount-table.ts';
import { parseLogLine } from '../stream/log-follower.ts';
import { capabilitiesInMask, capabilityNames, containerCapabilities } from './capabilities.ts';
import { defaultMounts, orderedMounts, volumeMount } from './mounts.ts';
import { containerNamespaces } from './namespaces.ts';
import { clampedOomScore, containerResources, mergedResources } from './resources.ts';
import { defaultSeccomp } from './seccomp-default.ts';

const all = new Set(capabilityNames);

describe('containerCapabilities', () => {
  const bounding = (wanted: object, privileged = false, available: ReadonlySet<string> = all) =>
    containerCapabilities({ privileged, wanted, available }).bounding;
  test('defaults are fourteen', () => expect(bounding({})).toHaveLength(14));
  test('all dropped but one', () =>
    expect(bounding({ dropCapabilities: ['ALL'], addCapabilities: ['net_admin'] })).toEqual(['CAP_NET_ADMIN']));
  test('all but one', () => expect(bounding({ addCapabilities: ['ALL'], dropCapabilities: ['SYS_ADMIN'] })).toHaveLength(all.size - 1));
  test('privileged gets what there is', () => expect(bounding({}, true, new Set(['CAP_CHOWN']))).toEqual(['CAP_CHOWN']));
  test('an unknown one is refused', () => expect(() => bounding({ addCapabilities: ['FLY'] })).toThrow('unknown capability "FLY"'));
  test('a mask names them', () => expect([...capabilitiesInMask('0000000000000401')]).toEqual(['CAP_CHOWN', 'CAP_NET_BIND_SERVICE']));
});

describe('resources', () => {
  const v1 = { version: 1, swap: true, hugetlb: false } as const;
  test('zero is not said; swap follows memory', () =>
    expect(
      containerResources({ cpuShares: 2, cpuQuota: 0, memoryLimitInBytes: 9, hugepageLimits: [{ pageSize: '2MB', limit: 0 }] }, v1),
    ).toEqual({
      cpu: { shares: 2 },
      memory: { limit: 9, swap: 9 },
    }));
  test('version 2 takes its own words, and hugepages', () =>
    expect(
      containerResources(
        { unified: { 'memory.high': '5' }, hugepageLimits: [{ pageSize: '2MB', limit: 3 }] },
        { version: 2, swap: false, hugetlb: true },
      ),
    ).toEqual({ unified: { 'memory.high': '5' }, hugepageLimits: [{ pageSize: '2MB', limit: 3 }] }));
  test('an update changes what it says', () =>
    expect(mergedResources({ cpuShares: 5, cpuQuota: 6 }, { cpuQuota: 7, cpuShares: 0 })).toEqual({ cpuShares: 5, cpuQuota: 7 }));
  test.each([
    [-998, 0, false, 0],
    [-998, 0, true, -998],
    [900, 0, false, 900],
  ])('oom score %i beside %i, allowed %s: %i', (wanted, own, may, score) => expect(clampedOomScore(wanted, own, may)).toBe(score));
});

describe('mounts', () => {
  const files = { shm: '/s', hosts: '/h', hostname: '/n', resolvConf: '/r' };
  const facts = { isShared: (path: string) => path === '/shared', isSlave: () => false };
  test('own mounts replace defaults and come parents first', () => {
    const own = [
      { destination: '/a/b/', source: '/2', options: [] },
      { destination: '/a', source: '/1', options: [] },
      { destination: '/etc/hosts', source: '/3', options: [] },
    ];
    const mounts = orderedMounts(defaultMounts({ privileged: false, readonlyRootfs: true, files }), own);
    expect(mounts.filter(({ destination }) => destination === '/etc/hosts').map(({ source }) => source)).toEqual(['/3']);
    expect(mounts.slice(-3).map(({ destination }) => destination)).toEqual(['/a', '/a/b/', '/etc/hosts']);
    expect(mounts.find(({ destination }) => destination === '/etc/resolv.conf')?.options).toContain('ro');
  });
  test('propagation and read-only', () => {
    expect(volumeMount({ containerPath: '/c', readonly: true }, '/x', facts).options).toEqual(['rbind', 'rprivate', 'ro']);
    expect(volumeMount({ containerPath: '/c', readonly: true, recursiveReadOnly: true }, '/x', facts).options).toContain('rro');
    expect(volumeMount({ containerPath: '/c', propagation: 'PROPAGATION_BIDIRECTIONAL' }, '/shared', facts).options).toContain('rshared');
    expect(() => volumeMount({ propagation: 'PROPAGATION_BIDIRECTIONAL' }, '/x', facts)).toThrow('not shared');
    expect(() => volumeMount({ recursiveReadOnly: true }, '/x', facts)).toThrow('needs a read-only mount');
  });
  test('the mount table says who shares', () => {
    const table = mountFacts(
      parseMountTable(
        '1 0 8:1 / / rw - ext4 d rw\n2 1 8:1 / /a\\040b rw shared:3 - ext4 d rw\n3 2 8:1 / /a\\040b/c rw master:3 - ext4 d rw\n',
      ),
    );
    expect([table.isShared('/a b/x'), table.isShared('/a b/c/y'), table.isSlave('/a b/c/y'), table.isShared('/z')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});

test.each([
  ['own processes', {}, ['mount', 'pid', 'network:/n', 'uts', 'ipc:/i']],
  ['the pod’s processes', { pid: 'POD' as const }, ['mount', 'pid:/p', 'network:/n', 'uts', 'ipc:/i']],
  ['a target’s processes', { pid: 'TARGET' as const }, ['mount', 'pid:/t', 'network:/n', 'uts', 'ipc:/i']],
  ['the host’s', { pid: 'NODE' as const, network: 'NODE' as const, ipc: 'NODE' as const }, ['mount']],
])('namespaces: %s', (_, options, expected) => {
  const sandbox = { network: '/n', ipc: '/i', pid: '/p' };
  const found = containerNamespaces({ options, sandbox, targetPid: '/t', privileged: false, cgroupVersion: 1 });
  expect(found.map(({ type, path }) => (path === undefined ? type : `${type}:${path}`))).toEqual(expected);
});

test('the default filter opens with capabilities', () => {
  const allowed = (...names: string[]) => defaultSeccomp(new Set(names), 'x64').syscalls[0]?.names ?? [];
  expect(allowed()).not.toContain('mount');
  expect(allowed('CAP_SYS_ADMIN')).toContain('mount');
  expect(allowed()).toContain('openat');
});

test.each([
  ['SIGTERM', 15],
  ['9', 9],
  ['USR1', 10],
  ['SIGRTMINPLUS3', 37],
  ['SIGRTMIN+3', 37],
  ['RTMAX-1', 63],
  ['nonsense', 15],
])('signal %s is %i', (name, number) => expect(signalNumber(name)).toBe(number));

test.each([
  ['executable file `x` not found in $PATH: No such file or directory', 'exec: "x": executable file not found in $PATH'],
  ['executable file `/x/y` not found: No such file or directory', 'executable file `/x/y` not found: No such file or directory'],
  [
    'time="2026-01-01T00:00:00Z" level=error msg="runc run failed: unable to start container process: exec: \\"x\\": executable file not found in $PATH"',
    'exec: "x": executable file not found in $PATH',
  ],
  ['open executable: Permission denied', 'exec: "prog": permission denied'],
])('%s', (message, expected) => expect(startFailure(message, 'prog')).toBe(expected));

test.each([
  ['2026-01-01T00:00:00Z stdout F a b', { stream: 'stdout', content: 'a b\n' }],
  ['2026-01-01T00:00:00Z stderr P a ', { stream: 'stderr', content: 'a ' }],
  ['2026-01-01T00:00:00Z stdout F ', { stream: 'stdout', content: '\n' }],
  ['garbage', undefined],
])('log line %j', (line, expected) => {
  const found = parseLogLine(Buffer.from(line));
  expect(found === undefined ? undefined : { ...found, content: String(found.content) }).toEqual(expected);
});

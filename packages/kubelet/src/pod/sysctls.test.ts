import type { Pod, PodSpec } from '@orrery/api/core/v1';
import { expect, test } from 'vitest';
import { dotted, forbiddenSysctl } from './sysctls.ts';

const makePod = (name: string, spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
  spec: { containers: [{ name: 'c' }], securityContext: { sysctls: [{ name, value: '1' }] }, ...spec },
  status: {},
});

const cases: readonly (readonly [string, Pod, string | undefined])[] = [
  ['a safe one', makePod('net.ipv4.tcp_syncookies'), undefined],
  ['a safe one with slashes', makePod('net/ipv4/tcp_syncookies'), undefined],
  ['an unsafe one', makePod('kernel.msgmax'), 'forbidden sysctl: "kernel.msgmax" not allowlisted'],
  ['one that the owner allows', makePod('net.core.somaxconn'), undefined],
  ['one of no namespace', makePod('vm.swappiness'), 'forbidden sysctl: "vm.swappiness" not allowlisted'],
  [
    'a net one on the host’s network',
    makePod('net.ipv4.tcp_syncookies', { hostNetwork: true }),
    'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host Net enabled',
  ],
  [
    'an ipc one with the host’s ipc',
    makePod('kernel.shm_rmid_forced', { hostIPC: true }),
    'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host IPC enabled',
  ],
];
for (const [name, pod, want] of cases) test(name, () => expect(forbiddenSysctl(pod, ['net/core/*', 'vm.*'])).toBe(want));

test('names with slashes may have dots in their parts', () =>
  expect(dotted('net/ipv4/conf/eth0.1/rp_filter')).toBe('net.ipv4.conf.eth0/1.rp_filter'));

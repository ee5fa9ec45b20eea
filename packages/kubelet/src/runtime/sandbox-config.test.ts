import type { Pod } from '@orrery/api/core/v1';
import { expect, test } from 'vitest';
import { newDirectories } from '../volumes/directories.ts';
import { podNames, sandboxConfig } from './sandbox-config.ts';

const podOf = (name: string, spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid: 'u' } as Pod['metadata'],
  spec: { containers: [], ...spec },
  status: {},
});

const hostnameOf = async (pod: Pod): Promise<string | undefined> => {
  const dns = { servers: [], domain: 'cluster.local' };
  const input = { pod, attempt: 0, directories: newDirectories('/x', '/y'), dns, resolvConf: '/none', cgroupParent: '', users: undefined };
  return (await sandboxConfig(input)).hostname;
};

test.each([
  ['the name', 'web', {}, 'web'],
  ['a long name is cut', 'a'.repeat(62).concat('.bc'), {}, 'a'.repeat(62)],
  ['its own', 'web', { hostname: 'h', subdomain: 's' }, 'h'],
  ['the full one', 'web', { hostname: 'h', subdomain: 's', setHostnameAsFQDN: true }, 'h.s.ns.svc.cluster.local'],
  ['no subdomain', 'web', { setHostnameAsFQDN: true }, 'web'],
  ['overridden', 'web', { hostname: 'h', subdomain: 's', hostnameOverride: 'other.example' }, 'other.example'],
  ['of the host', 'web', { hostNetwork: true, hostname: 'h' }, ''],
])('hostname: %s', async (_, name, spec, expected) => {
  expect(await hostnameOf(podOf(name, spec))).toBe(expected);
});

test('a full name that no kernel takes is an error; names for /etc/hosts stay apart', async () => {
  const pod = podOf('web', { hostname: 'h', subdomain: 's'.repeat(50), setHostnameAsFQDN: true });
  const full = `h.${'s'.repeat(50)}.ns.svc.cluster.local`;
  await expect(hostnameOf(pod)).rejects.toThrow(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (64 characters is the max, ${full.length} characters requested)`,
  );
  expect(podNames(pod, 'cluster.local')).toEqual({ hostname: 'h', domain: full.slice(2) });
});

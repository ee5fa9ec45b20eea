import { expect, test } from 'vitest';
import { resolvConfText, withResolvConf } from './resolv-conf.ts';

test('settings become lines; what is empty has none', () => {
  expect(resolvConfText({ servers: ['10.96.0.10', '1.1.1.1'], searches: ['a.svc', 'svc'], options: ['ndots:5'] })).toBe(
    'search a.svc svc\nnameserver 10.96.0.10\nnameserver 1.1.1.1\noptions ndots:5\n',
  );
  expect(resolvConfText({ servers: ['::1'] })).toBe('nameserver ::1\n');
});

test("a container sees its sandbox's settings, unless it mounts its own", () => {
  const sandbox = { dnsConfig: { servers: ['10.96.0.10'] } };
  const mount = { hostPath: '/s/resolv.conf', containerPath: '/etc/resolv.conf' };
  expect(withResolvConf({ env: {} }, sandbox, '/s').mounts).toEqual([mount]);
  const own = { env: {}, mounts: [{ hostPath: '/own', containerPath: '/etc/resolv.conf' }] };
  expect(withResolvConf(own, sandbox, '/s')).toBe(own);
  expect(withResolvConf({ env: {} }, {}, '/s').mounts).toBeUndefined();
});

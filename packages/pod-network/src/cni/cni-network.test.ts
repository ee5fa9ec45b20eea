import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { canMakeNetworks, newTestHost, testInstanceId } from '../testing/test-host.ts';
import { openCniNetwork } from './cni-network.ts';
import { parseCniConfig } from './conflist.ts';

const binDir = '/usr/lib/cni';

describe('a CNI configuration', () => {
  test.each([
    ['text', '{', 'it is not JSON'],
    ['no name', '{"type":"bridge"}', 'name is missing'],
    ['a type that leads elsewhere', '{"name":"n","type":"../../bin/sh"}', 'every plugin must have a type'],
    ['no plugins', '{"name":"n","plugins":[]}', 'every plugin must have a type'],
  ])('of %s is refused', (_, text, why) => {
    expect(() => parseCniConfig(text, 'f')).toThrow(why);
  });

  test('of one plugin is a list of one', () => {
    expect(parseCniConfig('{"name":"n","cniVersion":"1.0.0","type":"ptp"}', 'f').plugins).toHaveLength(1);
  });
});

describe.skipIf(!canMakeNetworks || !existsSync(join(binDir, 'bridge')))('a network by CNI plugins', () => {
  test('joins, checks, remembers over a restart, and undoes', async () => {
    using host = newTestHost(`cni-${testInstanceId()}`);
    const confDir = join(host.directory, 'net.d');
    const options = {
      instanceId: testInstanceId(),
      directory: join(host.directory, 'state'),
      clock: realClock,
      confDir,
      binDir,
      hostNetns: host.netns,
    };
    expect(openCniNetwork(options)).toBeUndefined();
    mkdirSync(confDir);
    const ipam = { type: 'host-local', subnet: '10.88.0.0/24', dataDir: join(host.directory, 'ipam'), routes: [{ dst: '0.0.0.0/0' }] };
    const plugins = [{ type: 'bridge', bridge: 'cni0', isGateway: true, ipam }];
    writeFileSync(join(confDir, '10-a.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: 'a', plugins }));
    const request = { sandboxId: 's1', namespace: 'default', name: 'p', uid: 'u', hostPorts: [], annotations: {} };
    const first = openCniNetwork(options);
    const attachment = await first?.attach(request);
    expect(attachment?.addresses).toEqual(['10.88.0.2']);
    await first?.check('s1');
    await first?.close();
    const second = openCniNetwork(options);
    expect(await second?.attach(request)).toEqual(attachment);
    host.run('ip addr flush dev eth0', attachment?.netnsPath);
    await expect(second?.check('s1')).rejects.toMatchObject({ code: 'CniFailed' });
    await second?.retain(new Set());
    expect(existsSync(attachment?.netnsPath ?? '')).toBe(false);
    expect(host.run('ip -o link')).not.toContain('veth');
    writeFileSync(
      join(confDir, '10-a.conflist'),
      JSON.stringify({ cniVersion: '1.0.0', name: 'a', plugins: [...plugins, { type: 'absent' }] }),
    );
    await expect(second?.attach(request)).rejects.toMatchObject({ code: 'CniFailed' });
    expect(second?.problem()).toContain('absent');
    expect(host.run('ls /run/netns')).not.toContain(`${options.instanceId}-`);
    await second?.close();
  });
});

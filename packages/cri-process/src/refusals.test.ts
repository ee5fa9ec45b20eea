import type { ContainerConfig, PodSandboxConfig } from '@orrery/cri';
import { describe, expect, test } from 'vitest';
import type { HostAbilities } from './host.ts';
import { checkContainer, checkSandbox } from './refusals.ts';

const all: HostAbilities = { root: true, isolation: 'root', terminals: true, setpriv: true, notes: [] };
const none: HostAbilities = { root: false, isolation: 'none', terminals: false, setpriv: false, notes: [] };
const security = (securityContext: object): ContainerConfig => ({ linux: { securityContext } });

describe('what plain processes cannot do is refused with what to do', () => {
  const sandboxes: readonly { name: string; config: PodSandboxConfig; message: RegExp }[] = [
    {
      name: 'sysctls',
      config: { linux: { sysctls: { 'net.core.somaxconn': '1' } } },
      message: /set sysctls for one pod: install crun or runc/,
    },
    {
      name: 'user namespace',
      config: { linux: { securityContext: { namespaceOptions: { usernsOptions: { mode: 'POD' } } } } },
      message: /hostUsers: false/,
    },
    {
      name: 'other host port',
      config: { portMappings: [{ hostPort: 80, containerPort: 8080 }] },
      message: /map host port 80 to container port 8080: use the same number/,
    },
  ];
  for (const { name, config, message } of sandboxes) test(name, () => expect(() => checkSandbox(config)).toThrow(message));
  test('the same host port is fine', () =>
    expect(() => checkSandbox({ portMappings: [{ hostPort: 80, containerPort: 80 }] })).not.toThrow());

  const containers: readonly { name: string; config: ContainerConfig; host: HostAbilities; message: RegExp }[] = [
    { name: 'terminal without script', config: { tty: true }, host: none, message: /install util-linux/ },
    { name: 'devices', config: { devices: [{}] }, host: all, message: /add devices/ },
    { name: 'privileged without root', config: security({ privileged: true }), host: none, message: /run Orrery as root/ },
    {
      name: 'another user without root',
      config: security({ runAsUser: { value: 4242 } }),
      host: none,
      message: /run a container as user 4242/,
    },
    {
      name: 'capabilities without root',
      config: security({ capabilities: { addCapabilities: ['SYS_TIME'] } }),
      host: none,
      message: /add capabilities \(SYS_TIME\)/,
    },
    { name: 'read-only root without isolation', config: security({ readonlyRootfs: true }), host: none, message: /read-only here/ },
    { name: 'seccomp file', config: security({ seccomp: { profileType: 'Localhost' } }), host: all, message: /seccomp/ },
  ];
  for (const { name, config, host, message } of containers) test(name, () => expect(() => checkContainer(config, host)).toThrow(message));
  test('limits are not refused', () =>
    expect(() => checkContainer({ linux: { resources: { memoryLimitInBytes: 1 } } }, all)).not.toThrow());
});

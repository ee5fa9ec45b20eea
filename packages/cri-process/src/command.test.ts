import { describe, expect, test } from 'vitest';
import { privilegeArguments, resolveProgram } from './command.ts';
import type { HostAbilities } from './host.ts';
import { parseImageMap } from './image-map.ts';
import { type RecordedConfig, recordedConfig } from './records.ts';

const imageMap = parseImageMap({
  images: { web: { entrypoint: ['serve', '--on', '$(POD_IP)'], command: ['80'], env: { A: 'map', B: 'map' }, workingDir: '/srv' } },
});
const program = (config: Partial<RecordedConfig>) =>
  resolveProgram({
    id: 'c1',
    config: { env: {}, image: { image: 'web' }, ...config },
    sandbox: { hostname: 'pod', portMappings: [{ containerPort: 8080 }] },
    address: '127.20.0.1',
    imageMap,
    defaults: { PATH: '/bin' },
  });

describe('resolveProgram follows the rules of ENTRYPOINT and CMD', () => {
  const cases = [
    { name: 'neither command nor args', config: {}, argv: ['serve', '--on', '127.20.0.1', '80'] },
    { name: 'args replace CMD', config: { args: ['81'] }, argv: ['serve', '--on', '127.20.0.1', '81'] },
    { name: 'command replaces both', config: { command: ['sh'] }, argv: ['sh'] },
    { name: 'command and args', config: { command: ['sh'], args: ['-c', 'x'] }, argv: ['sh', '-c', 'x'] },
  ];
  for (const { name, config, argv } of cases) test(name, () => expect(program(config).argv).toEqual(argv));

  test('environment: the pod’s own wins over the map’s, the address and the first port are there', () => {
    expect(program({ env: { A: 'pod' } }).env).toEqual({
      PATH: '/bin',
      HOSTNAME: 'pod',
      POD_IP: '127.20.0.1',
      HOST: '127.20.0.1',
      PORT: '8080',
      A: 'pod',
      B: 'map',
      ORRERY_CONTAINER_ID: 'c1',
    });
  });
  test('working directory: the pod’s, else the map’s', () => {
    expect(program({}).cwd).toBe('/srv');
    expect(program({ workingDir: '/tmp' }).cwd).toBe('/tmp');
  });
  test('an image without a program is refused with what to do', () => {
    expect(() => program({ image: { image: 'redis' }, args: ['--port', '1'] })).toThrow(
      /has no program for image "redis": set the container's command, map the image .* or install crun/,
    );
  });
  test('bytes of the environment become text', () => {
    expect(recordedConfig({ envs: [{ key: 'A', value: Buffer.from('ä') }] }).env).toEqual({ A: 'ä' });
  });
});

describe('privilegeArguments', () => {
  const root: HostAbilities = { root: true, isolation: 'root', terminals: true, setpriv: true, notes: [] };
  const of = (securityContext: object, host = root) => privilegeArguments({ env: {}, linux: { securityContext } }, host);
  const cases = [
    { name: 'nothing asked', context: {}, want: [] },
    {
      name: 'a user takes its group',
      context: { runAsUser: { value: 1000 } },
      want: ['setpriv', '--regid=1000', '--clear-groups', '--reuid=1000', '--'],
    },
    {
      name: 'groups',
      context: { runAsUser: { value: 1 }, runAsGroup: { value: 2 }, supplementalGroups: [3, 4] },
      want: ['setpriv', '--regid=2', '--groups=3,4', '--reuid=1', '--'],
    },
    {
      name: 'drop all, keep one',
      context: { capabilities: { dropCapabilities: ['ALL'], addCapabilities: ['NET_BIND_SERVICE'] } },
      want: ['setpriv', '--bounding-set=-all,+net_bind_service', '--inh-caps=-all,+net_bind_service', '--'],
    },
    { name: 'no new privileges', context: { noNewPrivs: true }, want: ['setpriv', '--no-new-privs', '--'] },
    { name: 'privileged changes nothing', context: { privileged: true, runAsUser: { value: 5 } }, want: [] },
  ];
  for (const { name, context, want } of cases) test(name, () => expect(of(context)).toEqual(want));
  test('without root there is nothing to change', () => expect(of({ runAsUser: { value: 1000 } }, { ...root, root: false })).toEqual([]));
});

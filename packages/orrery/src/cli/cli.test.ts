import { realClock, systemRandom } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { commands } from '../cmd/commands.ts';
import type { CliContext } from './command.ts';
import { homeOf } from './home.ts';
import { operatingError } from './operating-errors.ts';
import { pathsFrom } from './paths.ts';
import { runCli } from './run.ts';

async function run(...argv: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const told = { out: '', err: '' };
  const writer = (stream: 'out' | 'err') => (text: string) => {
    told[stream] += text;
  };
  const context: CliContext = {
    paths: pathsFrom({ XDG_DATA_HOME: '/nonexistent/data' }, '/nonexistent'),
    clock: realClock,
    random: systemRandom,
    out: { write: writer('out') },
    err: { write: writer('err'), isTerminal: false },
    ask: async () => undefined,
    self: [],
    env: {},
  };
  const code = await runCli(argv, context, new AbortController().signal);
  return { code, ...told };
}

describe('help', () => {
  test('of the program', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    await expect(out).toMatchFileSnapshot('testdata/help.txt');
  });
  for (const { name } of commands) {
    test(`of ${name}`, async () => {
      const { code, out } = await run(name, '--help');
      expect(code).toBe(0);
      await expect(out).toMatchFileSnapshot(`testdata/help-${name}.txt`);
      expect((await run('help', name)).out).toBe(out);
    });
  }
});

describe('wrong command lines: exit code 2, the reason, and where to look', () => {
  test.each([
    [['up', '--port', 'x'], '--port "x": must be a number from 0 to 65535'],
    [['up', '--port', '65536'], '--port "65536": must be a number from 0 to 65535'],
    [['up', '--max-pods', '0'], '--max-pods "0": must be an integer from 1 to 253'],
    [['up', '--max-pods=254'], '--max-pods "254": must be an integer from 1 to 253'],
    [['up', '--pod-max-pids=many'], '--pod-max-pids "many": must be an integer greater than or equal to 1'],
    [['up', 'now'], 'unexpected argument "now"'],
    [['up', '--fast'], "Unknown option '--fast'"],
    [['up', '--port'], "Option '-p, --port <value>' argument missing"],
    [['up', '--detach=yes'], "Option '-d, --detach' does not take an argument"],
    [['status', '--name', 'A_b'], '--name "A_b": a cluster name must'],
    [['status', '--name', '../x'], '--name "../x": a cluster name must'],
    [['status', '--all', '--name', 'a'], '--all and --name may not be used together'],
    [['status', '-o', 'xml'], '--output "xml": must be one of json, yaml'],
    [['logs', '--tail=-1'], '--tail "-1": must be an integer greater than or equal to 0'],
    [['kubeconfig', '--path', '--merge'], '--path and --merge may not be used together'],
    [['completion'], 'exactly one shell is required: bash, zsh, fish'],
    [['completion', 'tcsh'], 'exactly one shell is required: bash, zsh, fish'],
  ])('%j', async (argv, reason) => {
    const { code, out, err } = await run(...argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`orrery ${argv[0]}: ${reason}`);
    expect(err).toContain(`See "orrery ${argv[0]} --help".`);
  });
  test('an unknown command, and none', async () => {
    expect(await run('upp')).toEqual({ code: 2, out: '', err: 'orrery: unknown command "upp"; "orrery --help" lists them\n' });
    expect((await run()).code).toBe(2);
  });
});

test('folders: XDG where it is absolute, KUBECONFIG where it names a file', () => {
  expect(pathsFrom({}, '/home/a').cluster('c').store).toBe('/home/a/.local/share/orrery/c/store');
  expect(pathsFrom({ XDG_DATA_HOME: 'relative' }, '/home/a').clusters).toBe('/home/a/.local/share/orrery');
  expect(pathsFrom({ XDG_DATA_HOME: '/data' }, '/home/a').clusters).toBe('/data/orrery');
  expect(pathsFrom({}, '/home/a').userKubeconfig).toBe('/home/a/.kube/config');
  expect(pathsFrom({ KUBECONFIG: ':/one:/two' }, '/home/a').userKubeconfig).toBe('/one');
});

describe('what a command works on', () => {
  const paths = pathsFrom({ XDG_DATA_HOME: '/data' }, '/home/a');
  const homeBy = (flags: Record<string, string>) => homeOf({ flags, positionals: [] }, paths);
  test.each<[Record<string, string>, string, string]>([
    [{}, 'cluster "default"', '/data/orrery/default/node'],
    [{ name: 'nodes' }, 'cluster "nodes"', '/data/orrery/nodes/node'],
    [{ 'node-name': 'Box_2' }, 'node "box-2"', '/data/orrery-nodes/box-2/node'],
    [{ 'data-dir': '/srv/n' }, 'the node in /srv/n', '/srv/n/node'],
    [{ 'node-name': 'b', 'data-dir': '/srv/n' }, 'node "b"', '/srv/n/node'],
  ])('%j', (flags, label, node) => {
    const home = homeBy(flags);
    expect([home.label, home.paths.node]).toEqual([label, node]);
  });
  test('not both', () => expect(() => homeBy({ name: 'a', 'node-name': 'b' })).toThrow('--name means a cluster'));
});

test.each(['EACCES', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EMFILE', 'EADDRNOTAVAIL'])('%s is told with what to do', (code) => {
  const told = operatingError(Object.assign(new Error('reason'), { code }));
  expect(told?.message).toMatch(/^reason: .*(make|choose|raise)/);
});
test('a fault of ours is not', () => expect(operatingError(new TypeError('x'))).toBeUndefined());

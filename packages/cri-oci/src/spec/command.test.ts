import { describe, expect, test } from 'vitest';
import { containerCommand, containerEnvironment, workingDirectory } from './command.ts';

describe('containerCommand', () => {
  const image = { Entrypoint: ['/ep'], Cmd: ['a', 'b'] };
  test.each([
    ['nothing: the image’s own', {}, ['/ep', 'a', 'b']],
    ['arguments replace the image’s arguments', { args: ['x'] }, ['/ep', 'x']],
    ['a command replaces both', { command: ['c'] }, ['c']],
    ['both replace both', { command: ['c'], args: ['x'] }, ['c', 'x']],
  ])('%s', (_, config, expected) => expect(containerCommand(config, image)).toEqual(expected));

  test('nobody says what to run', () => expect(() => containerCommand({}, {})).toThrow('no command specified'));
});

test.each([
  [{ workingDir: '/w' }, { WorkingDir: '/i' }, '/w'],
  [{}, { WorkingDir: 'i' }, '/i'],
  [{ workingDir: '' }, {}, '/'],
])('workingDirectory(%j, %j) is %s', (config, image, expected) => expect(workingDirectory(config, image)).toBe(expected));

test('the pod’s environment wins over the image’s, and that over defaults', () => {
  const image = { Env: ['PATH=/img', 'A=1', 'B=x=y'] };
  expect(containerEnvironment({ image, own: { A: '2', C: '' }, hostname: 'h', tty: true })).toEqual([
    'PATH=/img',
    'HOSTNAME=h',
    'TERM=xterm',
    'A=2',
    'B=x=y',
    'C=',
  ]);
});

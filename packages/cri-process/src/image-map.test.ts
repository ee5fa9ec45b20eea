import { describe, expect, test } from 'vitest';
import { ImageMapError, parseImageMap } from './image-map.ts';

describe('parseImageMap', () => {
  test('exact names win over patterns, earlier patterns over later ones', () => {
    const map = parseImageMap({
      images: { 'nginx*': { command: ['first'] }, '*': { command: ['any'] }, 'nginx:1': { entrypoint: ['exact'] } },
    });
    expect(map.resolve('nginx:1')?.entrypoint).toEqual(['exact']);
    expect(map.resolve('nginx:2')?.command).toEqual(['first']);
    expect(map.resolve('redis')?.command).toEqual(['any']);
  });
  test('a pattern is no regular expression', () => {
    const map = parseImageMap({ images: { 'a.b/c+d': { command: ['x'] } } });
    expect(map.resolve('a.b/c+d')).toBeDefined();
    expect(map.resolve('aXb/ccd')).toBeUndefined();
  });
  test('no map resolves nothing', () => expect(parseImageMap(undefined).resolve('a')).toBeUndefined());

  const wrong = [
    { name: 'not an object', value: [], message: 'the image map must be an object with the field "images"' },
    { name: 'unknown field', value: { image: {} }, message: 'image: unknown field; only "images" is known' },
    { name: 'images is a list', value: { images: [] }, message: 'images: must be an object from image reference to entry' },
    {
      name: 'entry is a string',
      value: { images: { a: 'sh' } },
      message: 'images[a]: must be an object with entrypoint, command, env, workingDir',
    },
    {
      name: 'unknown field of an entry',
      value: { images: { a: { cmd: ['x'] } } },
      message: 'images[a].cmd: unknown field; known are entrypoint, command, env, workingDir',
    },
    { name: 'no program', value: { images: { a: { env: {} } } }, message: 'images[a]: must name a program in entrypoint or command' },
    { name: 'command is a string', value: { images: { a: { command: 'sh' } } }, message: 'images[a].command: must be a list of strings' },
    {
      name: 'env of numbers',
      value: { images: { a: { command: ['x'], env: { A: 1 } } } },
      message: 'images[a].env: must be an object of strings',
    },
  ];
  for (const { name, value, message } of wrong) {
    test(`refuses: ${name}`, () => expect(() => parseImageMap(value)).toThrow(new ImageMapError(message)));
  }
});

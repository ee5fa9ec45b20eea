import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStatusError } from '../errors/status-error.ts';
import { strictApplyError, strictDecodingError } from '../schema/strict-error.ts';
import { parseYaml } from './parse-yaml.ts';

const parse = (text: string) => parseYaml(Buffer.from(text), { detectDuplicates: true });
const jsonOf = async (text: string) => (await parse(text)).value;
const problemOf = async (text: string): Promise<string> => {
  try {
    await parse(text);
  } catch (err) {
    if (isStatusError(err) && err.reason === 'BadRequest') return err.message;
    throw err;
  }
  return '';
};

describe("plain scalars mean what kubectl's parser takes them for", () => {
  test.each([
    ['yes', true],
    ['Off', false],
    ['y', true],
    ['N', false],
    ['TRUE', true],
    ['tRue', 'tRue'],
    ['~', null],
    ['', null],
    ['null', null],
    ['12', 12],
    ['-0', 0],
    ['1_000', 1000],
    ['0644', 420],
    ['0o644', 420],
    ['0x1F', 31],
    ['-0b11', -3],
    ['08', 8],
    ['1.50', 1.5],
    ['.5', 0.5],
    ['1e3', 1000],
    ['1.2.3', '1.2.3'],
    ['190:20:30', '190:20:30'],
    ['2026-01-02', '2026-01-02'],
    ['100m', '100m'],
    ['"yes"', 'yes'],
    ["'12'", '12'],
    ['!!str 12', '12'],
    ['!!int "12"', 12],
    ['!!binary aGk=', 'hi'],
    ['|-\n  yes', 'yes'],
  ])('%s', async (text, value) => expect(await jsonOf(`a: ${text}\n`)).toEqual({ a: value }));
});

test('keys that are no strings become strings', async () => {
  expect(await jsonOf('1: a\nyes: b\n1.5: c\n"2": d\n')).toEqual({ 1: 'a', true: 'b', '1.5': 'c', 2: 'd' });
});

test('anchors, aliases and merge keys', async () => {
  const text = 'base: &b {x: 1, v: 2}\nz:\n  <<: *b\n  v: 3\nlist:\n- *b\n- <<: [*b, {w: 4}]\n';
  expect(await jsonOf(text)).toEqual({
    base: { x: 1, v: 2 },
    z: { x: 1, v: 3 },
    list: [
      { x: 1, v: 2 },
      { x: 1, v: 2, w: 4 },
    ],
  });
});

test('duplicate keys are named by line, in JSON bodies too', async () => {
  expect(await parse('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n')).toEqual({
    value: { b: { c: 2 }, a: 3 },
    duplicates: ['line 4: key "c" already set in map', 'line 5: key "a" already set in map'],
  });
  const { duplicates } = await parse('{\n "a": 1,\n "a": 2\n}');
  expect(duplicates).toEqual(['line 3: key "a" already set in map']);
  expect(strictDecodingError([...duplicates, 'unknown field "b"'])).toBe(
    'strict decoding error: yaml: unmarshal errors:\n  line 3: key "a" already set in map, unknown field "b"',
  );
  expect(strictApplyError(duplicates)).toBe(
    'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 3: key "a" already set in map',
  );
});

describe('refused', () => {
  test.each([
    ['a: b: c', /^yaml: line 1: /],
    ['a: [1', /^yaml: line \d: /],
    ['a: 1\n---\nb: 2\n', /^yaml: line 2: a request body must hold one document$/],
    ['a: *nope', /unknown anchor 'nope' referenced/],
    ['a: &x [*x]', /anchor 'x' value contains itself/],
    ['? [1]\n: 2', /invalid map key/],
    ['~: 2', /unsupported map key: ~/],
    ['a: .inf', /unsupported value: \.inf/],
    ['a: 1\n<<: 2', /map merge requires map/],
    [`a: ${'['.repeat(5000)}`, /exceeded max depth/],
  ])('%s', async (text, problem) => expect(await problemOf(text)).toMatch(problem));

  test('aliases that multiply without end', async () => {
    const levels = [...'abcdefghij'];
    const bomb = levels
      .map(
        (name, i) =>
          `${name}: &${name} [${
            i === 0
              ? 'x'
              : Array(9)
                  .fill(`*${levels[i - 1]}`)
                  .join()
          }]`,
      )
      .join('\n');
    expect(await problemOf(bomb)).toBe('yaml: document contains excessive aliasing');
  });

  test('deeply nested blocks', async () => {
    let text = '';
    for (let i = 0; i < 1200; i++) text += `${' '.repeat(i)}a:\n`;
    expect(await problemOf(text)).toBe('yaml: exceeded max depth');
  });
});

test('an empty trailing document is no second one; nothing is null', async () => {
  expect(await jsonOf('---\na: 1\n---\n')).toEqual({ a: 1 });
  expect(await jsonOf('')).toBeNull();
  expect(await jsonOf('# nothing\n')).toBeNull();
});

test('any JSON object is YAML', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (value) => {
      const text = JSON.stringify(value);
      expect(await jsonOf(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('any text gives a value or a StatusError', async () => {
  const pieces = fc.array(
    fc.constantFrom(
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '&x ',
      '*x',
      '{',
      '}',
      '[',
      ']',
      ',',
      '|',
      '"',
      "'",
      '!',
      '? ',
      '<<',
      '#',
      '\t',
      '---\n',
      '%',
      '0',
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        pieces.map((parts) => parts.join('')),
        fc.string(),
      ),
      async (text) => {
        await problemOf(text);
      },
    ),
    { numRuns: 500 },
  );
});

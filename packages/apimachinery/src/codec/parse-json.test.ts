import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStatusError } from '../errors/status-error.ts';
import { parseJson } from './parse-json.ts';

const parse = (text: string) => parseJson(Buffer.from(text), { detectDuplicates: true, describe: (problem) => problem });

/** The text of the refusal. */
function problemOf(text: string): string {
  try {
    parse(text);
  } catch (err) {
    if (isStatusError(err) && err.reason === 'BadRequest') return err.message;
    throw err;
  }
  return '';
}

describe('malformed JSON is refused in the words of Go', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['"abc', 'unexpected end of JSON input'],
    ['hello', "invalid character 'h' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['tru3', "invalid character '3' in literal true (expecting 'e')"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e+x', "invalid character 'x' in exponent of numeric literal"],
    ['01', "invalid character '1' after top-level value"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"\\u12z4"', "invalid character 'z' in \\u hexadecimal character escape"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
  ];
  test.each(cases)('%s', (text, problem) => expect(problemOf(text)).toBe(problem));
});

describe('duplicate keys', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['{"a":1,"b":{"a":2}}', []],
    ['{"a":":","b":"\\":\\""}', []],
    ['{"a":1,"a":2}', ['duplicate field "a"']],
    ['{"a":1,"\\u0061":2}', ['duplicate field "a"']],
    ['{"s":{"c":[{"x":1},{"n":1,"n":2,"n":3}]}}', ['duplicate field "s.c[1].n"']],
    ['{"a":{"b":1,"b":2},"a":{"c":1,"c":2}}', ['duplicate field "a.b"', 'duplicate field "a"', 'duplicate field "a.c"']],
    ['{"__proto__":1,"__proto__":2}', ['duplicate field "__proto__"']],
  ];
  test.each(cases)('%s', (text, duplicates) => {
    const parsed = parse(text);
    expect(parsed.duplicates).toEqual(duplicates);
    expect(parsed.value).toEqual(JSON.parse(text));
  });

  test('the key moves to where its last value stands', () => {
    expect(Object.keys(parse('{"a":1,"b":2,"a":3}').value as object)).toEqual(['b', 'a']);
  });
});

test('hostile keys change no prototype', () => {
  const { value } = parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1},"x":1,"x":2}');
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('nesting beyond the limit is refused, not overflowed', () => {
  expect(problemOf('['.repeat(100_000))).toBe('exceeded max depth');
  expect(problemOf('{"a":'.repeat(100_000))).toBe('exceeded max depth');
  expect(parse('['.repeat(900) + ']'.repeat(900)).duplicates).toEqual([]);
});

test('large bodies with duplicates are parsed, and complaints stay few', () => {
  const large = 'x\\n'.repeat(500_000);
  expect(parse(`{"a":"${large}","a":1}`).duplicates).toEqual(['duplicate field "a"']);
  const many = Array.from({ length: 1000 }, (_, i) => `"k${i}":1,"k${i}":2`).join();
  expect(parse(`{${many}}`).duplicates).toHaveLength(100);
});

test('invalid UTF-8 becomes the replacement character', () => {
  expect(parseJson(Buffer.from([0x22, 0xff, 0x22])).value).toBe('\ufffd');
});

test('any JSON comes back as JSON.parse gives it', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const parsed = parse(text);
      expect(parsed.value).toEqual(JSON.parse(text));
      expect(parsed.duplicates).toEqual([]);
    }),
  );
});

test('any bytes give a value or a StatusError', () => {
  const near = fc.tuple(fc.json(), fc.nat(), fc.string()).map(([json, at, junk]) => {
    const cut = json.length === 0 ? 0 : at % json.length;
    return Buffer.from(json.slice(0, cut) + junk + json.slice(cut + 1));
  });
  fc.assert(
    fc.property(fc.oneof(near, fc.uint8Array()), (bytes) => {
      try {
        parseJson(bytes, { detectDuplicates: true });
      } catch (err) {
        expect(isStatusError(err)).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});

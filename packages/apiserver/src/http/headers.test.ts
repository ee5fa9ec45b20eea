import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAccept } from './accept.ts';
import { negotiate, objectOffer } from './negotiation.ts';
import { warningHeaders } from './warning-header.ts';

describe('warnings', () => {
  const cases = [
    { name: 'quoted', texts: ['say "hi" \\ bye'], want: ['299 - "say \\"hi\\" \\\\ bye"'] },
    { name: 'each once, none empty', texts: ['a', '', 'a', 'b'], want: ['299 - "a"', '299 - "b"'] },
    { name: 'control characters become spaces', texts: ['a\r\nB: c'], want: ['299 - "a  B: c"'] },
    { name: 'others as the bytes of UTF-8', texts: ['ü'], want: ['299 - "\u00c3\u00bc"'] },
  ];
  for (const { name, texts, want } of cases) test(name, () => expect(warningHeaders(texts)).toEqual(want));

  test('too long together: each is cut, and they stay within 4 KiB', () => {
    const values = warningHeaders(Array.from({ length: 40 }, (_, index) => `${index}${'x'.repeat(1000)}`));
    expect(values.length).toBe(16);
    expect(Math.max(...values.map((value) => value.length))).toBe(256 + '299 - ""'.length);
  });

  test('any text makes a header', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        for (const value of warningHeaders(texts)) expect(value).toMatch(/^299 - "[\x20-\x7e\x80-\xff]*"$/);
      }),
    );
  });
});

describe('Accept', () => {
  test('best first: quality, then what is more specific, then as written', () => {
    const order = parseAccept('*/*, a/*, a/b;q=0.5, a/c;x="y, z/w;q=0').map(({ type, subtype }) => `${type}/${subtype}`);
    expect(order).toEqual(['a/c', 'a/*', '*/*', 'a/b']);
  });

  test('any header is read or refused with 406', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        try {
          negotiate(header, objectOffer);
        } catch (error) {
          expect(error).toMatchObject({ name: 'StatusError', code: 406 });
        }
      }),
    );
  });
});

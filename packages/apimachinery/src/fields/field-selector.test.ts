import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStatusError } from '../errors/status-error.ts';
import { everyField, fieldSelectorFrom, noField, parseFieldSelector } from './field-selector.ts';

describe('parseFieldSelector', () => {
  const good = [
    ['', '', []],
    ['a=b', 'a=b', [['a', '=', 'b']]],
    [
      'b==c,a!=',
      'a!=,b=c',
      [
        ['a', '!=', ''],
        ['b', '=', 'c'],
      ],
    ],
    ['spec.nodeName=n\\,1\\=2\\\\', 'spec.nodeName=n\\,1\\=2\\\\', [['spec.nodeName', '=', 'n,1=2\\']]],
    [',,a=b,', 'a=b', [['a', '=', 'b']]],
  ] as const;
  for (const [text, printed, terms] of good) {
    test(`'${text}'`, () => {
      const selector = parseFieldSelector(text);
      expect(String(selector)).toBe(printed);
      expect(selector.requirements.map(({ field, operator, value }) => [field, operator, value])).toEqual(terms);
    });
  }

  const bad = [
    ['a', "invalid selector: 'a'; can't understand 'a'"],
    ['a=b,c', "invalid selector: 'a=b,c'; can't understand 'c'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=\\b', 'invalid field selector: invalid escape sequence: \\b'],
    ['a=\\', 'invalid field selector: invalid escape sequence: \\'],
  ] as const;
  for (const [text, message] of bad) test(`refuses '${text}'`, () => expect(() => parseFieldSelector(text)).toThrow(message));

  test('an absent field is the empty value', () => {
    expect(parseFieldSelector('a=').matches({})).toBe(true);
    expect(parseFieldSelector('a!=').matches({})).toBe(false);
    expect(parseFieldSelector('a=1,b!=2').matches({ a: '1' })).toBe(true);
    expect(everyField.matches({})).toBe(true);
    expect(noField.matches({})).toBe(false);
    expect(parseFieldSelector('spec.nodeName=x').exactMatch('spec.nodeName')).toBe('x');
    expect(parseFieldSelector('spec.nodeName!=x').exactMatch('spec.nodeName')).toBeUndefined();
  });

  test('prints what it reads', () => {
    const term = fc.record({
      field: fc.constantFrom('metadata.name', 'spec.nodeName'),
      operator: fc.constantFrom('=' as const, '!=' as const),
      value: fc.string(),
    });
    fc.assert(
      fc.property(fc.array(term), (terms) => {
        const text = String(fieldSelectorFrom(terms));
        expect(parseFieldSelector(text).requirements).toHaveLength(terms.length);
        expect(String(parseFieldSelector(String(parseFieldSelector(text))))).toBe(String(parseFieldSelector(text)));
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseFieldSelector(text);
        } catch (error) {
          expect(isStatusError(error)).toBe(true);
        }
      }),
    );
  });
});

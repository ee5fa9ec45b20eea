import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStatusError } from '../errors/status-error.ts';
import { everyLabel, noLabel, parseLabelSelector, selectorFromLabelSelector, selectorFromSet } from './label-selector.ts';

const messageOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return error.message;
  }
  return 'no error';
};

describe('parseLabelSelector', () => {
  const good = [
    ['', ''],
    ['x=a,y=b,z=c', 'x=a,y=b,z=c'],
    ['x!=a,y=b', 'x!=a,y=b'],
    ['x=', 'x='],
    ['x= ', 'x='],
    ['x=,z= ', 'x=,z='],
    ['!x', '!x'],
    ['x>1', 'x>1'],
    ['x>1,z<5', 'x>1,z<5'],
    ['x in (foo,,baz),y,z notin ()', 'x in (,baz,foo),y,z notin ()'],
    ['notin in (in,notin)', 'notin in (in,notin)'],
    ['a == b', 'a==b'],
    ['b,a', 'a,b'],
    [' x , y ', 'x,y'],
  ] as const;
  for (const [text, printed] of good) test(`'${text}'`, () => expect(String(parseLabelSelector(text))).toBe(printed));

  const bad = [
    ['x in (a', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['x=a||y=b', 'unable to parse requirement: values[0][x]: Invalid value: "a||y": a valid label must be an empty string or consist of'],
    ['x==a==b', "found '==', expected: ',' or 'end of string'"],
    ['!x=a', "found '=', expected: ',' or 'end of string'"],
    ['x<a', "values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer"],
    ['x,', "found '', expected: identifier after ','"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['x y', "unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, gt, lt"],
    ['x in a', "unable to parse requirement: found 'a' expected: '('"],
    ['x in (=', "found '=', expected: ',', ')' or identifier"],
    ['-a=b', 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric characters'],
  ] as const;
  for (const [text, message] of bad) {
    test(`refuses '${text}'`, () => expect(messageOf(() => parseLabelSelector(text))).toContain(message));
  }

  const matches = [
    ['', {}, true],
    ['x=y', { x: 'y' }, true],
    ['x=y,z=w', { x: 'y', z: 'w' }, true],
    ['x!=y,z!=w', { x: 'z', z: 'a' }, true],
    ['x!=y', undefined, true],
    ['notin in (in)', { notin: 'in' }, true],
    ['x', { x: 'z' }, true],
    ['!x', { y: 'z' }, true],
    ['x>1', { x: '2' }, true],
    ['x<1', { x: '0' }, true],
    ['x>9223372036854775806', { x: '9223372036854775807' }, true],
    ['x<1', { x: 'a' }, false],
    ['x=z', {}, false],
    ['x=y', { x: 'z' }, false],
    ['x,!z', { x: 'a', z: 'b' }, false],
    ['constructor', {}, false],
    ['x=', {}, false],
    ['x in (,a)', { x: '' }, true],
  ] as const;
  for (const [text, labels, want] of matches) {
    test(`'${text}' over ${JSON.stringify(labels)}`, () => expect(parseLabelSelector(text).matches(labels)).toBe(want));
  }

  test('tells what an index may ask for', () => {
    const selector = parseLabelSelector('app=web,tier in (a),zone in (a,b),v!=1');
    expect(['app', 'tier', 'zone', 'v', 'other'].map((key) => selector.exactMatch(key))).toEqual([
      'web',
      'a',
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('prints what it reads, and never fails but with a Status', () => {
    const piece = fc.constantFrom('a', 'b/c', 'in', 'notin', '=', '==', '!=', '!', '(', ')', ',', ' ', '<', '>', '1', '\0', '-', '""');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join('');
        if (messageOf(() => parseLabelSelector(text)) !== 'no error') return;
        const selector = parseLabelSelector(text);
        expect(parseLabelSelector(String(selector)).requirements).toEqual(selector.requirements);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('selectors of API objects', () => {
  test('absent takes nothing, empty everything', () => {
    expect(selectorFromLabelSelector(undefined)).toBe(noLabel);
    expect(selectorFromLabelSelector({})).toBe(everyLabel);
    expect(selectorFromSet(undefined)).toBe(everyLabel);
  });

  test('expressions join the labels', () => {
    const selector = selectorFromLabelSelector({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'NotIn', values: ['b', 'a'] },
        { key: 'beta', operator: 'DoesNotExist' },
      ],
    });
    expect(String(selector)).toBe('app=web,!beta,tier notin (a,b)');
    expect(selector.matches({ app: 'web' })).toBe(true);
    expect(selector.matches({ app: 'web', tier: 'a' })).toBe(false);
  });

  test('an unknown operator is refused', () => {
    expect(messageOf(() => selectorFromLabelSelector({ matchExpressions: [{ key: 'a', operator: 'Like' }] }))).toBe(
      '"Like" is not a valid label selector operator',
    );
    expect(messageOf(() => selectorFromLabelSelector({ matchExpressions: [{ key: 'a', operator: 'In' }] }))).toBe(
      "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    );
  });
});

import { isStatusError } from '@orrery/apimachinery';
import type { ApiVerb, PatchType } from '@orrery/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deadlineMsOf } from './deadline.ts';
import { optionsOf } from './query-options.ts';
import { durationMsOf } from './query-values.ts';

const options = (verb: ApiVerb, query: string, patchType?: PatchType) => optionsOf(verb, new URLSearchParams(query), patchType);
const refusal = (verb: ApiVerb, query: string, patchType?: PatchType): string => {
  try {
    options(verb, query, patchType);
  } catch (error) {
    if (isStatusError(error)) return `${error.code} ${error.message}`;
  }
  return 'accepted';
};

describe('accepted', () => {
  const cases = [
    [
      'list',
      'labelSelector=a%3Db&limit=5&continue=x&resourceVersion=0',
      { labelSelector: 'a=b', limit: 5, continue: 'x', resourceVersion: '0' },
    ],
    ['list', 'limit=0&labelSelector=&watch=false', {}],
    ['list', 'resourceVersion=5&resourceVersionMatch=Exact', { resourceVersion: '5', resourceVersionMatch: 'Exact' }],
    ['watch', 'allowWatchBookmarks=&timeoutSeconds=5', { allowWatchBookmarks: true, timeoutSeconds: 5 }],
    [
      'watch',
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
      { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true },
    ],
    ['create', 'dryRun=All&fieldManager=me&fieldValidation=Strict', { dryRun: true, fieldManager: 'me', fieldValidation: 'Strict' }],
    ['create', 'fieldManager=&fieldValidation=', {}],
    ['get', 'resourceVersion=3&limit=x', { resourceVersion: '3' }],
  ] as const;
  for (const [verb, query, want] of cases) test(`${verb} ${query}`, () => expect(options(verb, query)).toEqual(want));

  test('apply with force', () =>
    expect(options('patch', 'fieldManager=me&force=true', 'apply')).toEqual({ fieldManager: 'me', force: true }));
});

describe('refused', () => {
  const list = '422 ListOptions.meta.k8s.io "" is invalid: ';
  const cases: [ApiVerb, string, string, PatchType?][] = [
    ['list', 'limit=x', '400 strconv.ParseInt: parsing "x": invalid syntax'],
    ['list', 'limit=99999999999999999999', '400 strconv.ParseInt: parsing "99999999999999999999": value out of range'],
    [
      'list',
      'resourceVersionMatch=Exact',
      `${list}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided`,
    ],
    [
      'list',
      'resourceVersionMatch=Exact&resourceVersion=0',
      `${list}resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"`,
    ],
    [
      'list',
      'resourceVersionMatch=Best&resourceVersion=1',
      `${list}resourceVersionMatch: Unsupported value: "Best": supported values: "Exact", "NotOlderThan", ""`,
    ],
    ['list', 'sendInitialEvents=true', `${list}sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list`],
    [
      'watch',
      'sendInitialEvents=true',
      `${list}resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`,
    ],
    [
      'watch',
      'resourceVersionMatch=NotOlderThan',
      `${list}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided`,
    ],
    ['create', 'dryRun=Some', '422 CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"'],
    [
      'update',
      'fieldValidation=Maybe',
      '422 UpdateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"',
    ],
    [
      'patch',
      'force=true',
      '422 PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      'merge',
    ],
    ['patch', '', '422 PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch', 'apply'],
    [
      'create',
      `fieldManager=${'x'.repeat(129)}`,
      '422 CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
    ],
  ];
  for (const [verb, query, want, patchType] of cases) {
    test(`${verb} ${query.slice(0, 60)}`, () => expect(refusal(verb, query, patchType)).toBe(want));
  }
});

test('any query is either read or refused with a Status', () => {
  const verbs = fc.constantFrom<ApiVerb>('get', 'list', 'watch', 'create', 'patch', 'deletecollection');
  const key = fc.constantFrom('limit', 'dryRun', 'fieldManager', 'timeoutSeconds', 'resourceVersionMatch', 'force', 'sendInitialEvents');
  fc.assert(
    fc.property(verbs, fc.array(fc.tuple(key, fc.string({ unit: 'binary' }))), (verb, pairs) => {
      expect(refusal(verb, new URLSearchParams(pairs).toString(), 'merge')).toMatch(/^(accepted|4)/);
    }),
  );
});

test('durations', () => {
  const cases = [
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['100ms', 100],
    ['0', 0],
    ['-1s', -1000],
    ['1', undefined],
    ['s', undefined],
    ['1s2', undefined],
    ['', undefined],
  ] as const;
  for (const [text, want] of cases) expect(durationMsOf(text)).toBe(want);
});

test('deadlines: the client can shorten the limit, not lengthen it', () => {
  const path = { type: 'path', verb: 'get', path: '/x' } as const;
  const deadline = (query: string) => deadlineMsOf(path, new URLSearchParams(query), 60_000);
  expect([deadline(''), deadline('timeout=5s'), deadline('timeout=5m'), deadline('timeout=0s')]).toEqual([60_000, 5000, 60_000, 60_000]);
  expect(() => deadline('timeout=abc')).toThrow('invalid timeout specified in the request URL - time: invalid duration "abc"');
});

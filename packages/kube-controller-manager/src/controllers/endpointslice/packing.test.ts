import type { Endpoint, EndpointSlice } from '@orrery/api/discovery/v1';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointKey } from './endpoint.ts';
import { pack } from './packing.ts';

const labels = { a: 'b' };
const endpoint = (name: string, ready = true): Endpoint => ({
  addresses: [`10.0.0.${name}`],
  conditions: { ready },
  targetRef: { kind: 'Pod', namespace: 'ns', name },
});
const slice = (name: string, endpoints: readonly Endpoint[], own = labels): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, uid: name, labels: own } as never,
  addressType: 'IPv4',
  endpoints,
});
const desired = (...endpoints: readonly Endpoint[]) => new Map(endpoints.map((one) => [endpointKey(one), one]));
const many = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => endpoint(`${from + index}`));
const namesOf = (endpoints: readonly Endpoint[] | undefined) => (endpoints ?? []).map(({ targetRef }) => targetRef?.name ?? '');
const shown = (slices: readonly EndpointSlice[], wanted: ReadonlyMap<string, Endpoint>, max: number) => {
  const { creates, updates, deletes } = pack(slices, wanted, labels, max);
  return {
    creates: creates.map(namesOf),
    updates: updates.map(({ metadata, endpoints }) => [metadata.name, ...namesOf(endpoints)]),
    deletes: deletes.map(({ metadata }) => metadata.name),
  };
};
const nothing = { creates: [], updates: [], deletes: [] };

describe('packing', () => {
  test('what fits stays as it is', () => {
    expect(shown([slice('s', many(0, 2))], desired(...many(0, 2)), 3)).toEqual(nothing);
  });
  test('a new state is written in place', () => {
    expect(shown([slice('s', many(0, 2))], desired(endpoint('0', false), endpoint('1')), 3)).toEqual({
      ...nothing,
      updates: [['s', '0', '1']],
    });
  });
  test('a slice that is written anyway takes new ones first', () => {
    const slices = [slice('full', many(0, 2)), slice('changed', many(2, 4))];
    expect(shown(slices, desired(...many(0, 3), endpoint('9')), 3)).toEqual({ ...nothing, updates: [['changed', '2', '9']] });
  });
  test('the fullest slice in which all the rest fits', () => {
    const slices = [slice('one', many(0, 1)), slice('two', many(1, 3)), slice('three', many(3, 6))];
    expect(shown(slices, desired(...many(0, 7)), 3)).toEqual({ ...nothing, updates: [['two', '1', '2', '6']] });
  });
  test('new slices when the rest fits nowhere', () => {
    const creates = [
      ['2', '3', '4'],
      ['5', '6'],
    ];
    expect(shown([slice('two', many(0, 2))], desired(...many(0, 7)), 3)).toEqual({ ...nothing, creates });
  });
  test('an emptied slice is deleted', () => {
    expect(shown([slice('s', many(0, 2)), slice('t', many(2, 3))], desired(...many(2, 3)), 3)).toEqual({ ...nothing, deletes: ['s'] });
  });
  test('other labels are mended', () => {
    expect(shown([slice('s', many(0, 1), { a: 'x' })], desired(...many(0, 1)), 3)).toEqual({ ...nothing, updates: [['s', '0']] });
  });
});

test('every endpoint stands in exactly one slice, none is too long, and a second pass changes nothing', () => {
  const names = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(names, { maxLength: 4 }), names, fc.integer({ min: 1, max: 8 }), (before, wanted, max) => {
      const taken = new Set<number>();
      const slices = before.map((list, index) => {
        const fresh = list.filter((name) => !taken.has(name)).slice(0, max);
        for (const name of fresh) taken.add(name);
        return slice(
          `s${index}`,
          fresh.map((name) => endpoint(`${name}`)),
        );
      });
      const target = desired(...wanted.map((name) => endpoint(`${name}`)));
      const { creates, updates, deletes } = pack(slices, target, labels, max);
      const changed = new Map(updates.map((one) => [one.metadata.name, one]));
      const after = [
        ...slices.filter((one) => !deletes.includes(one)).map((one) => changed.get(one.metadata.name) ?? one),
        ...creates.map((endpoints, index) => slice(`new${index}`, endpoints)),
      ];
      expect(after.flatMap(({ endpoints }) => namesOf(endpoints)).sort()).toEqual(wanted.map(String).sort());
      for (const { endpoints } of after) expect(endpoints?.length ?? 0).toBeLessThanOrEqual(max);
      expect(pack(after, target, labels, max)).toEqual({ creates: [], updates: [], deletes: [] });
    }),
  );
});

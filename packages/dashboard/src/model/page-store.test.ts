import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Batch, PodView, View } from '../protocol.ts';
import { boxKey, newPageStore, podStates } from './page-store.ts';

const pod = (id: string, change: Partial<PodView> = {}): PodView => ({
  kind: 'pod',
  id,
  cluster: 0,
  name: id,
  namespace: 'default',
  createdMs: 0,
  node: 'n1',
  state: 'running',
  reason: 'Running',
  message: '',
  phase: 'Running',
  ready: 1,
  total: 1,
  restarts: 0,
  ip: '',
  owner: '',
  containers: [],
  ...change,
});
const batch = (changed: readonly View[], gone: readonly string[] = [], flags: Partial<Batch> = {}): Batch => ({
  type: 'batch',
  nowMs: 1,
  changed,
  gone,
  ...flags,
});

describe('what the page knows', () => {
  test('a pod waits in the tray, drops into a box, changes there, and leaves', () => {
    const store = newPageStore();
    store.apply(batch([pod('a', { node: '', state: 'pending' })]));
    expect([store.unplaced.size, store.boxes.size, store.counts().pending]).toEqual([1, 0, 1]);
    const placed = store.apply(batch([pod('a', { state: 'starting' })]));
    expect([store.unplaced.size, placed.arrived, placed.layout]).toEqual([0, [{ id: 'a', box: '0/n1' }], true]);
    const changed = store.apply(batch([pod('a')]));
    expect([changed.arrived, [...changed.boxes], store.counts(0).running]).toEqual([[], ['0/n1'], 1]);
    const left = store.apply(batch([], ['a']));
    expect(left.left.map(({ box, slot }) => [box, slot])).toEqual([['0/n1', 0]]);
    expect([store.pods.size, store.boxes.size, store.namespaces()]).toEqual([0, 0, []]);
  });
  test('a whole picture takes away what it does not hold, at its end and not before', () => {
    const store = newPageStore();
    store.apply(batch([pod('a'), pod('b')], [], { reset: true, whole: true }));
    store.apply(batch([pod('b')], [], { reset: true }));
    expect(store.pods.size).toBe(2);
    store.apply(batch([pod('c')], [], { whole: true }));
    expect([...store.pods.keys()]).toEqual(['b', 'c']);
  });
  test('whatever comes, in whatever order: counts, trays and boxes tell the same as the pods', () => {
    const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const change = fc.record({ id: ids, gone: fc.boolean(), node: fc.constantFrom('', 'n1', 'n2'), state: fc.constantFrom(...podStates) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const store = newPageStore();
        const placedOnce = new Map<string, string>();
        for (const { id, gone, node, state } of changes) {
          if (gone) placedOnce.delete(id);
          // A pod never changes its node.
          const where = placedOnce.get(id) || node;
          if (!gone) placedOnce.set(id, where);
          store.apply(gone ? batch([], [id]) : batch([pod(id, { node: where, state })]));
        }
        const pods = [...store.pods.values()];
        const counts = store.counts();
        for (const state of podStates) expect(counts[state]).toBe(pods.filter((one) => one.state === state).length);
        expect(store.unplaced.size).toBe(pods.filter(({ node }) => node === '').length);
        for (const one of pods) {
          if (one.node === '') continue;
          const slots = store.boxes.get(boxKey(0, one.node))?.slots;
          expect(slots?.at(slots.slotOf(one.id) ?? -1)).toBe(one.id);
        }
        expect(store.boxes.size).toBe(new Set(pods.map(({ node }) => node).filter((name) => name !== '')).size);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CachedEntry } from './cached-entry.ts';
import { SortedSlots } from './sorted-slots.ts';

const entry = (name: string, revision: number): CachedEntry => new CachedEntry(name, revision, Buffer.from('{}'), { freeze: false });

describe('sorted slots', () => {
  test('agree with a sorted map, whenever they are read', () => {
    const change = fc.record({ type: fc.constantFrom('set', 'delete', 'read'), name: fc.string({ minLength: 1, maxLength: 2 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const slots = new SortedSlots();
        const model = new Map<string, number>();
        for (const [revision, { type, name }] of changes.entries()) {
          if (type === 'set') {
            slots.set(name, entry(name, revision));
            model.set(name, revision);
          } else if (type === 'delete') {
            slots.delete(name);
            model.delete(name);
          } else slots.ordered();
        }
        const expected = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
        expect(slots.ordered().map((slot) => [slot.name, slot.entry.revision])).toEqual(expected);
        expect(slots.size).toBe(model.size);
      }),
    );
  });

  test('many additions at once are merged', () => {
    const slots = new SortedSlots();
    const names = Array.from({ length: 500 }, (_, i) => `n${(i * 7919) % 1000}`);
    for (const [i, name] of names.entries()) {
      slots.set(name, entry(name, i));
      if (i === 250) slots.ordered();
    }
    expect(slots.ordered().map(({ name }) => name)).toEqual([...new Set(names)].sort());
  });

  test('what comes and goes without ever being read is not kept', () => {
    const slots = new SortedSlots();
    for (let i = 0; i < 10_000; i++) {
      slots.set(`n${i}`, entry(`n${i}`, i));
      slots.delete(`n${i}`);
    }
    expect(slots.held).toBeLessThanOrEqual(1025);
    expect(slots.ordered()).toEqual([]);
  });
});

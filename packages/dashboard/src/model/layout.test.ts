import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newSlots } from './slots.ts';
import { heightOf, nextSlot, placeOf, slotAt, tileLayout } from './tiles.ts';

describe('places', () => {
  test('the lowest free one is taken, and nobody moves', () => {
    const slots = newSlots();
    for (const id of ['a', 'b', 'c']) slots.take(id);
    slots.release('b');
    expect([slots.slotOf('c'), slots.take('d'), slots.take('d'), slots.length]).toEqual([2, 1, 1, 3]);
  });
  test('empty ones at the end go; most of them empty, the rest moves together', () => {
    const slots = newSlots();
    for (let index = 0; index < 20; index += 1) slots.take(`p${index}`);
    for (let index = 0; index < 19; index += 1) slots.release(`p${index}`);
    expect([slots.length, slots.compact(), slots.length, slots.slotOf('p19')]).toEqual([20, true, 1, 0]);
    slots.release('p19');
    expect(slots.length).toBe(0);
  });
  test('never two in one place', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ id: fc.integer({ min: 0, max: 30 }), take: fc.boolean() }), { maxLength: 200 }), (steps) => {
        const slots = newSlots();
        const held = new Set<string>();
        for (const { id, take } of steps) {
          const name = `p${id}`;
          if (take) slots.take(name);
          else slots.release(name);
          if (take) held.add(name);
          else held.delete(name);
          slots.compact();
          const places = [...held].map((one) => slots.slotOf(one));
          expect(new Set(places).size).toBe(held.size);
          expect(places.every((place) => place !== undefined && place < slots.length)).toBe(true);
        }
      }),
    );
  });
});

describe('tiles', () => {
  test.each([
    ['17 pods of 50 on 3 nodes have names', 366, 17, true],
    ['110 pods do not', 366, 110, false],
    ['1,700 pods do not', 366, 1_700, false],
  ])('%s', (_name, width, count, named) => expect(tileLayout(width, count).named).toBe(named));

  test('the more pods, the smaller; a box of a third of 5,000 stays below 700 px', () => {
    const sizes = [10, 50, 150, 400, 1_700].map((count) => tileLayout(366, count).height);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(heightOf(tileLayout(366, 1_667))).toBeLessThan(700);
  });
  test('every tile is in the box and found under its middle', () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 900 }), fc.integer({ min: 1, max: 2_000 }), fc.boolean(), (width, count, dense) => {
        const layout = tileLayout(width, count, dense);
        for (const slot of [0, count - 1, Math.floor(count / 2)]) {
          const { x, y } = placeOf(layout, slot);
          expect(x + layout.width).toBeLessThanOrEqual(width + 0.001);
          expect(y + layout.height).toBeLessThanOrEqual(heightOf(layout) + 0.001);
          expect(slotAt(layout, x + layout.width / 2, y + layout.height / 2)).toBe(slot);
        }
      }),
    );
  });
  test('a gap holds nothing', () => {
    const layout = tileLayout(366, 110);
    expect(slotAt(layout, layout.width + layout.gap / 2, 1)).toBeUndefined();
  });
  test('the keyboard skips empty places and stops at the ends', () => {
    const layout = { width: 10, height: 10, gap: 2, columns: 3, rows: 2, named: false };
    const used = (slot: number): boolean => slot !== 1;
    const from = (slot: number, direction: Parameters<typeof nextSlot>[3]) => nextSlot(layout, 6, slot, direction, used);
    expect([
      from(0, 'right'),
      from(2, 'left'),
      from(0, 'down'),
      from(4, 'up'),
      from(5, 'right'),
      from(3, 'first'),
      from(0, 'last'),
    ]).toEqual([2, 0, 3, 4, 5, 0, 5]);
  });
});

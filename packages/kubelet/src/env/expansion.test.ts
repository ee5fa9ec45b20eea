import { describe, expect, test } from 'vitest';
import { expand, missingReferences } from './expansion.ts';

describe('expand', () => {
  const values = new Map([
    ['A', '1'],
    ['B', 'two'],
    ['EMPTY', ''],
  ]);
  const cases = [
    ['known name', 'x=$(A)', 'x=1'],
    ['two names', '$(A)$(B)', '1two'],
    ['unknown name stays', '$(NOPE)', '$(NOPE)'],
    ['empty value', '[$(EMPTY)]', '[]'],
    ['escaped', '$$(A)', '$(A)'],
    ['doubly escaped', '$$$(A)', '$1'],
    ['escaped dollars', '$$$$(A)', '$$(A)'],
    ['lone dollar at the end', 'cost$', 'cost$'],
    ['not closed', '$(A', '$(A'],
    ['no parenthesis', '$A', '$A'],
    ['nested opens', '$($(A)', '$($(A)'],
    ['text around', 'a $(A) b $(B) c', 'a 1 b two c'],
  ] as const;
  for (const [name, text, want] of cases) {
    test(name, () => expect(expand(text, (key) => values.get(key))).toBe(want));
  }

  test('missing references are named', () => {
    expect(missingReferences('$(A)/$(X)/$$(Y)', (key) => values.get(key))).toEqual(['X']);
  });
});

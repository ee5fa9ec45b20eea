import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../generate/source.ts';
import { falseClaims, readClaims } from './conformance.ts';

const read = (file: string): string | undefined => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined);

test('docs/conformance.md claims only what tests show', () => {
  const claims = readClaims(read('docs/conformance.md') ?? '');
  expect(claims.claims.length).toBeGreaterThan(100);
  expect(falseClaims(claims, read)).toEqual([]);
});

describe('a claim is found false', () => {
  const source = `describe('one', () => { test('first', () => {}); });\ndescribe('two', () => {\n  test.each([1])(\n    '%s: second',\n    () => {}); });`;
  const given = (shown: string): string[] =>
    falseClaims(
      readClaims(`| Behaviour | Upstream | Shown by |\n| It works | Area | ${shown} |\n\n[here]: ../a.test.ts\n[gone]: ../b.test.ts\n`),
      (file) => (file === 'a.test.ts' ? source : undefined),
    );
  test.each([
    ['[here] one › first', 0],
    ['[here] two › %s: second', 0],
    ['[here] one › first<br>[here] first', 0],
    ['—', 0],
    ['[here] two › first', 1],
    ['[here] third', 1],
    ['[gone] one › first', 1],
    ['[nowhere] one', 1],
    ['yes', 1],
  ])('%s', (shown, count) => expect(given(shown)).toHaveLength(count));
});

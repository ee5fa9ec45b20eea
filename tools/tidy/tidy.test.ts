import { describe, expect, test } from 'vitest';
import { layers, layerViolations } from './layers.ts';
import { longFiles, longFunctions } from './ratchets.ts';
import { ruleViolations } from './rules.ts';
import { packageImports, sources } from './sources.ts';

const all = sources();
const product = all.filter(
  ({ path }) => path.startsWith('packages/') && !path.endsWith('.test.ts') && !/\/(testing|conformance|crash)\//.test(path),
);

describe('the house is tidy', () => {
  test('dependencies point down the layer table', () => {
    expect(layerViolations(packageImports(all))).toEqual([]);
  });
  test('calls that belong to one place are made only there', () => {
    expect(ruleViolations(all)).toEqual([]);
  });
  test('files stay small', () => {
    expect(product.flatMap(longFiles)).toEqual([]);
  });
  test('functions stay small', () => {
    expect(product.flatMap(longFunctions)).toEqual([]);
  });
});

describe('the rules find what they forbid', () => {
  const at = (path: string, text: string) => ruleViolations([{ path, text }]);
  const cases = [
    { name: 'wall clock', path: 'packages/kubelet/src/a.ts', text: 'const t = Date.now();', found: 1 },
    { name: 'wall clock in base', path: 'packages/base/src/a.ts', text: 'const t = Date.now();', found: 0 },
    { name: 'in a comment', path: 'packages/kubelet/src/a.ts', text: '// Date.now() is banned', found: 0 },
    { name: 'timer', path: 'packages/kubelet/src/a.ts', text: 'setTimeout(f, 1);', found: 1 },
    { name: "a clock's own method", path: 'packages/kubelet/src/a.ts', text: 'clock.setTimeout(f, 1);', found: 0 },
    { name: 'environment', path: 'packages/kubelet/src/a.ts', text: 'process.env.HOME', found: 1 },
    { name: 'environment in main', path: 'packages/orrery/src/main.ts', text: 'process.env.HOME', found: 0 },
    { name: 'deep import', path: 'packages/kubelet/src/a.ts', text: "import { x } from '@orrery/client/src/x.ts';", found: 1 },
    { name: 'types of a group', path: 'packages/kubelet/src/a.ts', text: "import type { Pod } from '@orrery/api/core/v1';", found: 0 },
  ] as const;
  for (const { name, path, text, found } of cases) test(name, () => expect(at(path, text)).toHaveLength(found));

  test('an upward dependency', () => {
    const [lowest, next] = [layers[0]?.[0] ?? '', layers[1]?.[0] ?? ''];
    expect(layerViolations([{ name: lowest, dependencies: [next], imports: [next] }])).toEqual([`${lowest} -> ${next}: not a lower layer`]);
  });
  test('a long function', () => {
    const text = `function f() {\n${'  x();\n'.repeat(100)}}\n`;
    expect(longFunctions({ path: 'a.ts', text })).toEqual(['a.ts:1: function of 102 lines, 90 at most']);
  });
});

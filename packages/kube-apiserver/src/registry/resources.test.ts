import type { Draft, KubeObject } from '@orrery/apimachinery';
import { cloneJson } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import { minimalObjects } from '../testing/minimal-objects.ts';
import { resources } from './resources.ts';

const context = { user: { username: 'test', groups: [] }, namespace: 'default', now: '2026-01-01T00:00:00Z', dryRun: false };

function defaulted(kind: string): { draft: Draft<KubeObject>; definition: (typeof resources)[number] } {
  const definition = resources.find((candidate) => `${candidate.group}/${candidate.kind}` === kind);
  const minimal = minimalObjects[kind];
  if (definition === undefined || minimal === undefined) throw new Error(`${kind} is not in both lists`);
  const draft = cloneJson({
    ...minimal,
    metadata: { name: 'a', namespace: 'default', uid: 'u-1', ...minimal.metadata },
  }) as Draft<KubeObject>;
  definition.strategy.default?.(draft);
  return { draft, definition };
}

const kinds = resources.map(({ group, kind }) => `${group}/${kind}`);

test('every resource is there once', () => {
  const names = resources.map(({ group, resource }) => `${group}/${resource}`);
  expect(new Set(names).size).toBe(names.length);
});

describe.each(kinds)('strategy of %s', (kind) => {
  test('defaults are idempotent', () => {
    const { draft, definition } = defaulted(kind);
    const once = cloneJson(draft);
    definition.strategy.default?.(draft);
    expect(draft).toEqual(once);
  });

  test('a minimal object is valid, and a no-op update of it', () => {
    const { draft, definition } = defaulted(kind);
    definition.strategy.prepareForCreate?.(draft, context);
    const object = cloneJson(draft) as KubeObject;
    expect(definition.strategy.validate?.(object, context) ?? []).toEqual([]);
    expect(definition.strategy.warnings?.(object, undefined, context) ?? []).toEqual([]);
    const next = cloneJson(object);
    definition.strategy.default?.(next);
    definition.strategy.prepareForUpdate?.(next, object, context);
    expect(next).toEqual(object);
    expect(definition.strategy.validateUpdate?.(next as KubeObject, object, context) ?? []).toEqual([]);
  });

  test('a minimal object has a table row', () => {
    const { draft, definition } = defaulted(kind);
    definition.strategy.prepareForCreate?.(draft, context);
    for (const column of definition.columns ?? []) expect(column.cell(draft as KubeObject, Date.parse(context.now))).toBeDefined();
    for (const get of Object.values(definition.selectableFields ?? {})) expect(typeof get(draft as KubeObject)).toBe('string');
  });
});

import { describe, expect, test } from 'vitest';
import { isStatusError } from '../errors/status-error.ts';
import type { ManagedFieldsEntry } from '../generated/meta-v1.ts';
import type { JsonObject } from '../json.ts';
import { deepFreeze } from '../json.ts';
import { workload } from '../patch/test-schemas.ts';
import { fieldSetOfPaths } from './field-set.ts';
import type { ApplyOptions } from './server-side-apply.ts';
import { serverSideApply } from './server-side-apply.ts';
import type { TrackOptions } from './track-update.ts';
import { trackUpdate } from './track-update.ts';

const at = (second: number): string => `2026-01-01T00:00:0${second}Z`;
const options = (manager: string, second = 0, rest: Partial<ApplyOptions> = {}): ApplyOptions => ({
  manager,
  apiVersion: 'apps/v1',
  time: at(second),
  ...rest,
});
const leaf = {};

const object = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Workload',
  metadata: { name: 'w', namespace: 'default', ...metadata },
  spec,
});
const withEntries = (target: JsonObject, managedFields: readonly ManagedFieldsEntry[]): JsonObject => ({
  ...target,
  metadata: { ...(target['metadata'] as JsonObject), uid: 'u', managedFields: managedFields as unknown as readonly JsonObject[] },
});
const created = (target: JsonObject, manager = 'creator', rest: Partial<TrackOptions> = {}): JsonObject =>
  deepFreeze(withEntries(target, trackUpdate(workload, undefined, target, { ...options(manager), ...rest })));
const updated = (live: JsonObject, next: JsonObject, manager: string, second: number, rest: Partial<TrackOptions> = {}): JsonObject => {
  const target = {
    ...next,
    metadata: { ...(next['metadata'] as JsonObject), uid: 'u', managedFields: entries(live) as unknown as readonly JsonObject[] },
  };
  return deepFreeze(withEntries(target, trackUpdate(workload, live, target, { ...options(manager, second), ...rest })));
};
const entries = (target: JsonObject): readonly ManagedFieldsEntry[] =>
  ((target['metadata'] as JsonObject)['managedFields'] as unknown as readonly ManagedFieldsEntry[]) ?? [];
const fieldsOf = (target: JsonObject, manager: string): unknown => entries(target).find((entry) => entry.manager === manager)?.fieldsV1;
const apply = (live: JsonObject | undefined, config: JsonObject, manager: string, second = 0, rest: Partial<ApplyOptions> = {}) => {
  const result = serverSideApply(workload, live, deepFreeze(config), options(manager, second, rest));
  return { ...result, stored: deepFreeze(withEntries(result.object, result.managedFields)) };
};
const errorOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    if (isStatusError(error)) return error.toStatus();
    throw error;
  }
  return undefined;
};
const specOf = (target: JsonObject): unknown => target['spec'];

describe('trackUpdate', () => {
  test('a create belongs to its maker, system fields apart', () => {
    const live = created(
      object(
        {
          replicas: 1,
          containers: [{ name: 'web', image: 'a', ports: [{ containerPort: 80 }], resources: {} }],
          selector: { matchLabels: { a: 'b' } },
          tolerations: [{ key: 'x' }],
          nodeSelector: { disk: 'ssd' },
        },
        { labels: { app: 'web' } },
      ),
    );
    expect(entries(live)).toEqual([
      {
        manager: 'creator',
        operation: 'Update',
        apiVersion: 'apps/v1',
        time: at(0),
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': leaf, 'f:app': leaf } },
          'f:spec': {
            'f:containers': {
              '.': leaf,
              'k:{"name":"web"}': {
                '.': leaf,
                'f:image': leaf,
                'f:name': leaf,
                'f:ports': { '.': leaf, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': leaf, 'f:containerPort': leaf } },
                'f:resources': leaf,
              },
            },
            'f:nodeSelector': leaf,
            'f:replicas': leaf,
            'f:selector': leaf,
            'f:tolerations': leaf,
          },
        },
      },
    ]);
  });

  test('what another writer changes moves to it; the rest and its time stay', () => {
    const live = created(object({ replicas: 1, paused: true }));
    const next = updated(live, object({ replicas: 2, paused: true }), 'scaler', 1);
    expect(entries(next).map(({ manager, time, fieldsV1 }) => [manager, time, fieldsV1])).toEqual([
      ['creator', at(0), { 'f:spec': { 'f:paused': leaf } }],
      ['scaler', at(1), { 'f:spec': { 'f:replicas': leaf } }],
    ]);
    expect(fieldsOf(updated(next, object({ paused: true }), 'third', 2), 'scaler')).toBeUndefined();
  });

  test('a write that changes nothing keeps the entries as they are', () => {
    const live = created(object({ replicas: 1 }));
    expect(trackUpdate(workload, live, live, options('other', 5))).toBe(entries(live));
  });

  test('a status write is recorded with its subresource and ignores what it resets', () => {
    const live = created(object({ replicas: 1 }));
    const next = updated(
      live,
      { ...object({ replicas: 9 }), status: { replicas: 3, conditions: [{ type: 'Ready', status: 'True' }] } },
      'controller',
      1,
      {
        subresource: 'status',
        ignore: fieldSetOfPaths([['spec']]),
      },
    );
    expect(entries(next).at(-1)).toMatchObject({
      manager: 'controller',
      subresource: 'status',
      fieldsV1: {
        'f:status': {
          'f:conditions': { '.': leaf, 'k:{"type":"Ready"}': { '.': leaf, 'f:status': leaf, 'f:type': leaf } },
          'f:replicas': leaf,
        },
      },
    });
    expect(fieldsOf(next, 'creator')).toEqual({ 'f:spec': { 'f:replicas': leaf } });
  });

  test('clients may reset the entries; such an object is not tracked until it is applied', () => {
    const live = created(object({ replicas: 1 }));
    expect(trackUpdate(workload, live, withEntries(object({ replicas: 1 }), [{}]), options('a'))).toEqual([]);
    expect(trackUpdate(workload, live, withEntries(object({ replicas: 1 }), []), options('a'))).toEqual([]);
    const untracked = deepFreeze(object({ replicas: 1 }, { uid: 'u' }));
    expect(trackUpdate(workload, untracked, object({ replicas: 2 }, { uid: 'u' }), options('a'))).toEqual([]);
  });

  test('malformed entries of a client count for nothing', () => {
    const live = created(object({ replicas: 1 }));
    const broken = [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'k:{': {} } }];
    expect(trackUpdate(workload, live, withEntries(object({ replicas: 1 }), broken), options('a'))).toEqual(entries(live));
  });

  test('more than ten writers are joined', () => {
    let live = created(object({ replicas: 0 }, { annotations: {} }), 'm0');
    const annotations: Record<string, string> = {};
    for (let i = 1; i <= 12; i++) {
      annotations[`a${i}`] = 'x';
      live = updated(live, object({ replicas: 0 }, { annotations: { ...annotations } }), `m${i}`, Math.min(i, 9));
    }
    expect(entries(live)).toHaveLength(10);
    expect(fieldsOf(live, 'ancient-changes')).toMatchObject({
      'f:spec': { 'f:replicas': leaf },
      'f:metadata': { 'f:annotations': { 'f:a1': leaf } },
    });
  });
});

describe('serverSideApply', () => {
  test('creates, and a second time changes nothing', () => {
    const config = object({ replicas: 1, containers: [{ name: 'web', image: 'a' }] }, { labels: { a: 'b' } });
    const first = apply(undefined, config, 'helm', 1);
    expect(first.changed).toBe(true);
    expect(first.managedFields).toEqual([
      {
        manager: 'helm',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        time: at(1),
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:a': leaf } },
          'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': leaf, 'f:image': leaf, 'f:name': leaf } }, 'f:replicas': leaf },
        },
      },
    ]);
    const again = apply(first.stored, config, 'helm', 5);
    expect(again.changed).toBe(false);
    expect(again.managedFields).toBe(entries(first.stored));
  });

  test('conflicts tell whose fields they are', () => {
    const live = created(object({ replicas: 3, paused: false }), 'kubectl');
    const one = errorOf(() => apply(live, object({ replicas: 5 }), 'helm'));
    expect(one).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "kubectl" using apps/v1', field: '.spec.replicas' }] },
    });
    const two = errorOf(() => apply(live, object({ replicas: 5, paused: true }), 'helm'));
    expect(two?.message).toBe('Apply failed with 2 conflicts: conflicts with "kubectl" using apps/v1:\n- .spec.paused\n- .spec.replicas');
    const applied = apply(undefined, object({ containers: [{ name: 'web', image: 'a' }] }), 'a').stored;
    expect(errorOf(() => apply(applied, object({ containers: [{ name: 'web', image: 'b' }] }), 'b'))?.message).toBe(
      'Apply failed with 1 conflict: conflict with "a": .spec.containers[name="web"].image',
    );
  });

  test('force takes the fields', () => {
    const live = created(object({ replicas: 3 }), 'kubectl');
    const forced = apply(live, object({ replicas: 5 }), 'helm', 1, { force: true });
    expect(specOf(forced.object)).toEqual({ replicas: 5 });
    expect(forced.managedFields.map(({ manager }) => manager)).toEqual(['helm']);
  });

  test('equal values are shared, and stay while one owner is left', () => {
    const live = created(object({ replicas: 3 }), 'kubectl');
    const shared = apply(live, object({ replicas: 3 }), 'helm', 1).stored;
    expect(entries(shared)).toHaveLength(2);
    expect(specOf(apply(shared, object({}), 'helm', 2).object)).toEqual({ replicas: 3 });
  });

  test('what an applier states no more goes', () => {
    const first = apply(
      undefined,
      object(
        {
          replicas: 1,
          containers: [{ name: 'a', image: '1', args: ['x'] }, { name: 'b' }],
          strategy: { type: 'R', rollingUpdate: { maxSurge: 1 } },
        },
        { labels: { x: '1' } },
      ),
      'helm',
    ).stored;
    const second = apply(first, object({ containers: [{ name: 'a', image: '1' }] }), 'helm', 1);
    expect(second.object).toEqual({
      ...object({ containers: [{ name: 'a', image: '1' }] }),
      metadata: { name: 'w', namespace: 'default', uid: 'u' },
    });
  });

  test('elements of others stay in their places', () => {
    const live = created(object({ containers: [{ name: 'x' }, { name: 'y' }, { name: 'z' }] }));
    const result = apply(live, object({ containers: [{ name: 'new' }, { name: 'y', image: '2' }] }), 'helm');
    expect(specOf(result.object)).toEqual({ containers: [{ name: 'x' }, { name: 'new' }, { name: 'y', image: '2' }, { name: 'z' }] });
  });

  test('sets join, atomic lists and maps are replaced', () => {
    const live = created(object({ ips: ['a', 'b'], nodeSelector: { a: '1' }, tolerations: [{ key: 'a' }] }));
    const config = object({ ips: ['c', 'b'], nodeSelector: { b: '2' }, tolerations: [{ key: 'b' }] });
    expect(errorOf(() => apply(live, config, 'helm'))?.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "creator" using apps/v1:\n- .spec.nodeSelector\n- .spec.tolerations',
    );
    expect(specOf(apply(live, config, 'helm', 1, { force: true }).object)).toEqual({
      ips: ['a', 'c', 'b'],
      nodeSelector: { b: '2' },
      tolerations: [{ key: 'b' }],
    });
  });

  test('an absent key takes its default', () => {
    const live = created(object({ containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }] }] }));
    const result = apply(live, object({ containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'http' }] }] }), 'helm');
    expect(specOf(result.object)).toEqual({ containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] }] });
  });

  test('an object without owners is taken over from before-first-apply', () => {
    const live = deepFreeze(object({ replicas: 1, paused: true }, { uid: 'u' }));
    expect(errorOf(() => apply(live, object({ replicas: 2 }), 'helm'))?.message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas',
    );
    const { managedFields } = apply(live, object({ replicas: 1 }), 'helm', 1);
    expect(managedFields.map(({ manager }) => manager)).toEqual(['helm', 'before-first-apply']);
  });

  test('kubectl takes over from its own client-side apply', () => {
    const applied = object({ replicas: 1 });
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(applied) };
    const live = created(object({ replicas: 1, paused: true }, { annotations }), 'kubectl-client-side-apply');
    const config = object({ replicas: 2 });
    expect(errorOf(() => apply(live, config, 'helm'))?.message).toContain('1 conflict');
    const result = apply(live, config, 'kubectl', 1);
    expect(specOf(result.object)).toEqual({ replicas: 2, paused: true });
    const kept = (result.object['metadata'] as JsonObject)['annotations'] as JsonObject;
    expect(JSON.parse(String(kept['kubectl.kubernetes.io/last-applied-configuration']))).toEqual(config);
    expect(errorOf(() => apply(live, object({ paused: false }), 'kubectl'))?.message).toContain('.spec.paused');
  });

  test('a status apply owns the status alone', () => {
    const live = created(object({ replicas: 1 }));
    const config = { ...object({ replicas: 7 }), status: { replicas: 1 } };
    const result = apply(live, config, 'c', 1, { subresource: 'status', ignore: fieldSetOfPaths([['spec']]) });
    expect(result.managedFields[0]).toMatchObject({ subresource: 'status', fieldsV1: { 'f:status': { 'f:replicas': leaf } } });
  });

  const bad: readonly (readonly [string, JsonObject, number, string])[] = [
    [
      'another version',
      { ...object({}), apiVersion: 'apps/v2' },
      400,
      'Incorrect version specified in apply patch. Specified patch version: apps/v2, expected: apps/v1',
    ],
    ['managed fields', object({}, { managedFields: [] }), 400, 'metadata.managedFields must be nil'],
    [
      'an unknown field',
      object({ size: 1 }),
      500,
      'failed to create typed patch object (default/w; apps/v1, Kind=Workload): .spec.size: field not declared in schema',
    ],
    ['a wrong type', object({ replicas: 'x' }), 500, '.spec.replicas: expected numeric (int or float), got "x"'],
    [
      'a repeated element',
      object({ containers: [{ name: 'a' }, { name: 'a' }] }),
      500,
      '.spec.containers: duplicate entries for key [name="a"]',
    ],
    ['a repeated value', object({ ips: ['a', 'a'] }), 500, '.spec.ips: duplicate entries for key [="a"]'],
    [
      'an element without its key',
      object({ containers: [{ image: 'a' }] }),
      500,
      '.spec.containers: element 0: associative list with keys has an element that omits all key fields ["name"]',
    ],
  ];
  for (const [name, config, code, message] of bad) {
    test(`refuses ${name}`, () =>
      expect(errorOf(() => apply(undefined, config, 'helm'))).toMatchObject({ code, message: expect.stringContaining(message) }));
  }
});

import { type KubeObject, keyOf, selectorFromSet } from '@orrery/apimachinery';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ObjectStore } from './object-store.ts';

const object = (name: string, namespace: string, labels: Record<string, string>, resourceVersion: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name, namespace, labels, uid: name, creationTimestamp: '', resourceVersion: String(resourceVersion) },
});

/** None, one, or several values, by the labels that are there. */
const byLabels = ({ metadata: { labels = {} } }: KubeObject): string | readonly string[] | undefined => {
  const values = Object.values(labels);
  return values.length === 0 ? undefined : values.length === 1 ? values[0] : values;
};

const sorted = (objects: readonly KubeObject[]): string[] => objects.map((o) => `${keyOf(o)}@${o.metadata.resourceVersion}`).sort();

describe('ObjectStore', () => {
  test('indexes answer as a search over everything would, whatever happened before', () => {
    const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y', 'z'));
    const place = fc.tuple(fc.constantFrom('n1', 'n2'), fc.constantFrom('o1', 'o2', 'o3', 'o4'));
    const step = fc.oneof(
      fc.record({ type: fc.constant('set' as const), place, labels }),
      fc.record({ type: fc.constant('delete' as const), place, labels: fc.constant({}) }),
      fc.record({ type: fc.constant('index' as const), place, labels: fc.constant({}) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = new ObjectStore<KubeObject>();
        const model = new Map<string, KubeObject>();
        steps.forEach(({ type, place: [namespace, name], labels: set }, i) => {
          const key = `${namespace}/${name}`;
          if (type === 'index') store.addIndex('labels', byLabels);
          else if (type === 'delete') {
            expect(store.delete(key)).toBe(model.get(key));
            model.delete(key);
          } else {
            const next = object(name, namespace, set, i);
            expect(store.set(key, next)).toBe(model.get(key));
            model.set(key, next);
          }
        });
        store.addIndex('labels', byLabels);
        const all = [...model.values()];
        expect(sorted(store.list())).toEqual(sorted(all));
        expect(store.size).toBe(all.length);
        for (const namespace of ['n1', 'n2', 'none']) {
          expect(sorted(store.byNamespace(namespace))).toEqual(sorted(all.filter((o) => o.metadata.namespace === namespace)));
        }
        for (const value of ['x', 'y', 'z']) {
          const wanted = all.filter((o) => Object.values(o.metadata.labels ?? {}).includes(value));
          expect(sorted(store.byIndex('labels', value))).toEqual(sorted(wanted));
          const selector = selectorFromSet({ a: value });
          expect(sorted(store.select(selector, 'n1'))).toEqual(
            sorted(all.filter((o) => o.metadata.namespace === 'n1' && o.metadata.labels?.['a'] === value)),
          );
        }
      }),
    );
  });

  test('list is one array until something changes; earlier answers stay as they were', () => {
    const store = new ObjectStore<KubeObject>();
    store.set('n/a', object('a', 'n', {}, 1));
    const before = store.list();
    expect(store.list()).toBe(before);
    store.set('n/b', object('b', 'n', {}, 2));
    expect([before.length, store.list().length]).toEqual([1, 2]);
    expect(store.get({ namespace: 'n', name: 'b' })).toBe(store.get('n/b'));
  });

  test('unknown indexes, and names taken by another function, are caller bugs', () => {
    const store = new ObjectStore<KubeObject>();
    expect(() => store.byIndex('none', 'x')).toThrow('no index "none"; it has namespace');
    store.addIndex('labels', byLabels);
    store.addIndex('labels', byLabels);
    expect(() => store.addIndex('labels', () => 'other')).toThrow('exists with another function');
  });
});

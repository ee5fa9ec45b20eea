import { describe, expect, test } from 'vitest';
import { deploymentOf, setOf } from '../testing/objects.ts';
import { currentSetAnnotations, nextRevision, REVISION, REVISION_HISTORY } from './annotations.ts';
import { equalTemplates, findNewSet, templateHash } from './template.ts';

const template = (image: string) => ({ metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image }] } });

describe('templates', () => {
  test('the hash names the content, not the order of keys', () => {
    const reordered = { spec: { containers: [{ image: 'i', name: 'c' }] }, metadata: { labels: { app: 'a' } } };
    expect(templateHash(template('i'), 0)).toBe(templateHash(reordered, 0));
    expect(templateHash(template('j'), 0)).not.toBe(templateHash(template('i'), 0));
    expect(templateHash(template('i'), 1)).not.toBe(templateHash(template('i'), 0));
    expect(templateHash(template('i'), 0)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
  });
  test('the hash label is not part of a template', () => {
    const labelled = { ...template('i'), metadata: { labels: { app: 'a', 'pod-template-hash': 'x' } } };
    expect(equalTemplates(labelled, template('i'))).toBe(true);
  });
  test('of several sets with the template the oldest is the one', () => {
    const sets = [
      setOf('young', { replicas: 1, createdAt: '2026-02-01T00:00:00Z' }),
      setOf('old', { replicas: 1 }),
      setOf('other', { replicas: 1, image: 'j' }),
    ];
    expect(findNewSet(deploymentOf({}), sets)?.metadata.name).toBe('old');
  });
});

describe('revisions', () => {
  test('one more than the highest', () =>
    expect(nextRevision([setOf('a', { replicas: 0, annotations: { [REVISION]: '3' } }), setOf('b', { replicas: 0 })])).toBe(4));
  test('a set that becomes current again remembers what it was', () => {
    const set = setOf('a', { replicas: 0, annotations: { [REVISION]: '1' } });
    expect(currentSetAnnotations(deploymentOf({}), set, 3)).toMatchObject({ [REVISION]: '3', [REVISION_HISTORY]: '1' });
  });
  test('annotations are handed down, kubectl’s own and sizes are not', () => {
    const deployment = deploymentOf({});
    const annotated = {
      ...deployment,
      metadata: {
        ...deployment.metadata,
        annotations: { 'kubernetes.io/change-cause': 'why', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      },
    };
    expect(currentSetAnnotations(annotated, setOf('a', { replicas: 0 }), 1)).toEqual({
      'kubernetes.io/change-cause': 'why',
      [REVISION]: '1',
    });
  });
});

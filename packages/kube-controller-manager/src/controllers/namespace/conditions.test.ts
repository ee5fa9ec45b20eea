import { describe, expect, test } from 'vitest';
import { type DeletionFindings, discoveryFailureText, namespaceConditions } from './conditions.ts';
import { reportOf } from './content.ts';

const configMaps = { group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', namespaced: true };
const deployments = { group: 'apps', version: 'v1', kind: 'Deployment', resource: 'deployments', namespaced: true };
const object = (...finalizers: string[]) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', uid: 'u', finalizers } as never,
});
const now = Date.parse('2026-01-01T00:00:00Z');
const shown = (findings: Partial<DeletionFindings>) =>
  namespaceConditions(undefined, { contentFailures: [], reports: [], ...findings }, now).map(({ type, status, reason, message }) => [
    type,
    status,
    reason,
    message,
  ]);

describe('conditions', () => {
  test('all is well', () => {
    expect(shown({})).toEqual([
      ['NamespaceDeletionDiscoveryFailure', 'False', 'ResourcesDiscovered', 'All resources successfully discovered'],
      ['NamespaceDeletionGroupVersionParsingFailure', 'False', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
      ['NamespaceDeletionContentFailure', 'False', 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
      ['NamespaceContentRemaining', 'False', 'ContentRemoved', 'All content successfully removed'],
      ['NamespaceFinalizersRemaining', 'False', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    ]);
  });

  test('everything is wrong', () => {
    const reports = [reportOf(deployments, 'ns', [object('b/x')], 0), reportOf(configMaps, 'ns', [object('a/x', 'b/x'), object()], 0)];
    const failures = discoveryFailureText(new Map([['b.io/v1', new Error('away')]]));
    expect(shown({ discoveryFailure: failures, contentFailures: ['z', 'a'], reports }).map(([, ...rest]) => rest)).toEqual([
      [
        'True',
        'DiscoveryFailed',
        'Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: b.io/v1: away',
      ],
      ['False', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
      ['True', 'ContentDeletionFailed', 'Failed to delete all resource types, 2 remaining: a, z'],
      [
        'True',
        'SomeResourcesRemain',
        'Some resources are remaining: configmaps. has 2 resource instances, deployments.apps has 1 resource instances',
      ],
      [
        'True',
        'SomeFinalizersRemain',
        'Some content in the namespace has finalizers remaining: a/x in 1 resource instances, b/x in 2 resource instances',
      ],
    ]);
  });

  test('what stays the same is the same value; a new text keeps the time of the transition', () => {
    const good: DeletionFindings = { contentFailures: [], reports: [] };
    const first = namespaceConditions(undefined, { ...good, contentFailures: ['a'] }, now);
    expect(namespaceConditions(first, { ...good, contentFailures: ['a'] }, now + 9000)).toBe(first);
    const second = namespaceConditions(first, { ...good, contentFailures: ['b'] }, now + 9000);
    expect(second[2]?.lastTransitionTime).toBe('2026-01-01T00:00:00Z');
    expect(namespaceConditions(second, good, now + 9000)[2]?.lastTransitionTime).toBe('2026-01-01T00:00:09Z');
  });
});

describe('what is left of a resource', () => {
  test.each([
    ['nothing', [], 30, { remaining: 0, estimateSeconds: 0 }],
    ['pods within their grace period', [object()], 30, { remaining: 1, estimateSeconds: 30 }],
    ['objects with finalizers', [object('a/x')], 0, { remaining: 1, estimateSeconds: 15 }],
  ])('%s', (_name, items, estimate, expected) => {
    const report = reportOf(configMaps, 'ns', items, estimate);
    expect(report).toMatchObject(expected);
    expect(report.failure).toBeUndefined();
  });

  test('objects that nothing holds are a failure', () => {
    expect(reportOf(configMaps, 'ns', [object()], 0).failure).toBe(
      'unexpected items still remain in namespace: ns for gvr: /v1, Resource=configmaps',
    );
  });
});

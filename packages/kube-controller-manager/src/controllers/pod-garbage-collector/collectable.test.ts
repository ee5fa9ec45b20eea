import type { Node, Pod, PodStatus } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { outOfService, quarantine, surplusTerminated, unscheduledTerminating } from './collectable.ts';

interface TestPod extends Partial<PodStatus> {
  readonly createdSeconds?: number;
  readonly nodeName?: string;
  readonly deleted?: boolean;
}
const pod = (name: string, { createdSeconds = 0, nodeName, deleted = false, ...status }: TestPod = {}): Pod =>
  ({
    metadata: {
      name,
      creationTimestamp: new Date(createdSeconds * 1000).toISOString(),
      ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: nodeName === undefined ? {} : { nodeName },
    status,
  }) as unknown as Pod;
const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name);

describe('surplusTerminated', () => {
  const pods = [
    pod('running', { phase: 'Running' }),
    pod('new', { phase: 'Succeeded', createdSeconds: 9 }),
    pod('old', { phase: 'Failed', createdSeconds: 1 }),
    pod('evicted', { phase: 'Failed', reason: 'Evicted', createdSeconds: 8 }),
    pod('also-old', { phase: 'Succeeded', createdSeconds: 1 }),
  ];
  test.each([
    ['within the limit', 4, []],
    ['evicted ones go first', 3, ['evicted']],
    ['then the oldest, by name', 1, ['evicted', 'also-old', 'old']],
    ['no limit', 0, []],
  ])('%s', (_, max, expected) => expect(names(surplusTerminated(pods, max))).toEqual(expected));
});

test('pods that were deleted before they had a node', () => {
  const pods = [pod('waiting'), pod('leaving', { deleted: true }), pod('placed', { deleted: true, nodeName: 'n' })];
  expect(names(unscheduledTerminating(pods))).toEqual(['leaving']);
});

test('deleted pods on nodes that are declared dead, unless these are ready', () => {
  const node = (ready: string, key: string) =>
    ({ spec: { taints: [{ key, effect: 'NoExecute' }] }, status: { conditions: [{ type: 'Ready', status: ready }] } }) as unknown as Node;
  const known: Readonly<Record<string, Node>> = {
    dead: node('Unknown', 'node.kubernetes.io/out-of-service'),
    lively: node('True', 'node.kubernetes.io/out-of-service'),
    down: node('Unknown', 'node.kubernetes.io/unreachable'),
  };
  const pods = [...Object.keys(known), 'gone'].map((nodeName) => pod(`on-${nodeName}`, { nodeName, deleted: true }));
  expect(names(outOfService([...pods, pod('staying', { nodeName: 'dead' })], (name) => known[name]))).toEqual(['on-dead']);
});

test('a node must be missing for 40 seconds on end', () => {
  const since = new Map<string, number>();
  const pods = [pod('a', { nodeName: 'lost' }), pod('b', { nodeName: 'late' }), pod('c', { nodeName: 'there' }), pod('d')];
  const round = (seconds: number, ...present: readonly string[]) =>
    quarantine(since, pods, (name) => present.includes(name), seconds * 1000);
  expect(round(0, 'there')).toEqual([]);
  expect(round(20, 'there', 'late')).toEqual([]);
  expect(round(40, 'there')).toEqual(['lost']);
  expect(round(60, 'there')).toEqual(['lost']);
  expect(round(80, 'there')).toEqual(['lost', 'late']);
});

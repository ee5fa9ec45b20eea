import type { Lease } from '@orrery/api/coordination/v1';
import type { Node } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { isSilent, observeNode, unknownConditions } from './node-health.ts';

const START_MS = Date.UTC(2026, 0, 1);
const at = (seconds: number): string => `${new Date(START_MS + seconds * 1000).toISOString().slice(0, 19)}Z`;
const nodeWith = (conditions: NonNullable<Node['status']>['conditions'] | undefined): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', uid: 'u', creationTimestamp: at(0) },
    spec: {},
    status: conditions === undefined ? {} : { conditions },
  }) as unknown as Node;
const ready = (heartbeatSeconds: number, status = 'True') =>
  nodeWith([{ type: 'Ready', status, lastHeartbeatTime: at(heartbeatSeconds), lastTransitionTime: at(0), reason: 'r', message: 'm' }]);
const lease = (seconds: number) => ({ spec: { renewTime: at(seconds) } }) as Lease;
const now = (seconds: number) => ({ nowMs: seconds * 1000, wallMs: START_MS + seconds * 1000 });

describe('observeNode', () => {
  test('the first look at a node that has spoken is a sign of life, however old its words', () => {
    expect(observeNode(undefined, ready(0), undefined, now(500)).seenMs).toBe(500_000);
  });
  test('a node that has not spoken is as old as it is', () => {
    expect(observeNode(undefined, nodeWith(undefined), undefined, now(50)).seenMs).toBe(0);
  });
  const seen = observeNode(undefined, ready(0), lease(0), now(0));
  test.each([
    ['nothing new', ready(0), lease(0), 0],
    ['a new heartbeat', ready(9), lease(0), 10_000],
    ['a renewed lease', ready(0), lease(9), 10_000],
    ['a lease that is gone', ready(0), undefined, 0],
    ['a lease from the past', ready(0), lease(-5), 0],
    ['a condition that is gone', nodeWith(undefined), lease(0), 10_000],
  ])('%s', (_, node, renewed, seenMs) => {
    expect(observeNode(seen, node, renewed, now(10)).seenMs).toBe(seenMs);
  });
});

describe('isSilent', () => {
  const health = { seenMs: 0, heartbeat: undefined, renewTime: undefined };
  test.each([
    ['within the grace period', ready(0), 40, false],
    ['after it', ready(0), 41, true],
    ['a node that has never spoken has a minute', nodeWith(undefined), 60, false],
    ['but no more', nodeWith(undefined), 61, true],
  ])('%s', (_, node, seconds, silent) => {
    expect(isSilent(node, health, 40_000, seconds * 1000)).toBe(silent);
  });
});

test('nothing of what a silent node said is known to hold', () => {
  const node = nodeWith([
    { type: 'NetworkUnavailable', status: 'False' },
    { type: 'MemoryPressure', status: 'Unknown', reason: 'Own', lastTransitionTime: at(1) },
    { type: 'Ready', status: 'True', lastHeartbeatTime: at(5), lastTransitionTime: at(1) },
  ]);
  const never = { status: 'Unknown', reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' };
  expect(unknownConditions(node, START_MS + 60_000)).toEqual([
    { type: 'NetworkUnavailable', status: 'False' },
    { type: 'MemoryPressure', status: 'Unknown', reason: 'Own', lastTransitionTime: at(1) },
    {
      type: 'Ready',
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastHeartbeatTime: at(5),
      lastTransitionTime: at(60),
    },
    { type: 'DiskPressure', ...never, lastHeartbeatTime: at(0), lastTransitionTime: at(60) },
    { type: 'PIDPressure', ...never, lastHeartbeatTime: at(0), lastTransitionTime: at(60) },
  ]);
});

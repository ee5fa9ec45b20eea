import type { Pod, Service } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { endpointChanges, hostnameIn, selects } from './membership.ts';
import { findPort } from './ports.ts';
import { newTriggerTimes, withTriggerTime } from './trigger-times.ts';

const pod = {
  metadata: { name: 'p', uid: 'p', namespace: 'ns', labels: { app: 'a' } },
  spec: {
    hostname: 'h',
    subdomain: 'web',
    containers: [
      {
        name: 'c',
        ports: [
          { name: 'dns', containerPort: 53, protocol: 'UDP' },
          { name: 'http', containerPort: 8080 },
        ],
      },
    ],
    initContainers: [
      { name: 'once', ports: [{ name: 'never', containerPort: 1 }] },
      { name: 'sidecar', restartPolicy: 'Always', ports: [{ name: 'admin', containerPort: 9 }] },
    ],
  },
  status: { podIPs: [{ ip: '10.0.0.1' }], conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:05Z' }] },
} as unknown as Pod;
const service = (spec: object, name = 'web') =>
  ({ metadata: { name, namespace: 'ns', creationTimestamp: '2026-01-01T00:00:00Z' }, spec }) as unknown as Service;

test.each([
  ['a number', { port: 80, targetPort: 8081 }, 8081],
  ['nothing: the same port', { port: 80 }, 80],
  ['a name', { port: 80, targetPort: 'http' }, 8080],
  ['a name of another protocol', { port: 80, targetPort: 'dns' }, undefined],
  ['a name and its protocol', { port: 80, targetPort: 'dns', protocol: 'UDP' }, 53],
  ['a sidecar’s port', { port: 80, targetPort: 'admin' }, 9],
  ['the port of an init container', { port: 80, targetPort: 'never' }, undefined],
])('targetPort is %s', (_name, port, expected) => {
  expect(findPort(pod, port)).toBe(expected);
});

test.each([
  ['equal labels', { app: 'a' }, true],
  ['another value', { app: 'b' }, false],
  ['one label more', { app: 'a', tier: 'x' }, false],
  ['an empty selector', {}, true],
  ['no selector', undefined, false],
])('selector with %s', (_name, selector, expected) => {
  expect(selects(service({ selector }), pod.metadata.labels)).toBe(expected);
});

test('the host name counts in the service that the pod names', () => {
  expect([hostnameIn(service({}), pod), hostnameIn(service({}, 'other'), pod)]).toEqual(['h', undefined]);
});

describe('changes of a pod', () => {
  test.each([
    ['nothing', {}, false],
    ['an annotation', { metadata: { ...pod.metadata, annotations: { a: 'b' } } }, false],
    ['a label', { metadata: { ...pod.metadata, labels: { app: 'b' } } }, true],
    ['deletion', { metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }, true],
    ['the address', { status: { ...pod.status, podIPs: [{ ip: '10.0.0.2' }] } }, true],
    ['readiness', { status: { ...pod.status, conditions: [] } }, true],
    [
      'another condition',
      { status: { ...pod.status, conditions: [...(pod.status?.conditions ?? []), { type: 'X', status: 'True' }] } },
      false,
    ],
    ['the end', { status: { ...pod.status, phase: 'Succeeded' } }, true],
  ])('%s', (_name, change, expected) => {
    expect(endpointChanges.onUpdate?.(pod, { ...pod, ...change } as Pod)).toBe(expected);
  });
});

test('trigger times: the service at first, then the earliest pod that changed', () => {
  const times = newTriggerTimes();
  const at = (name: string, time: string) =>
    ({
      ...pod,
      metadata: { ...pod.metadata, name },
      status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time }] },
    }) as Pod;
  const web = service({});
  expect(times.changedAt(web, [pod])).toBe('2026-01-01T00:00:00Z');
  expect(times.changedAt(web, [pod])).toBeUndefined();
  expect(times.changedAt(web, [pod, at('b', '2026-01-01T00:00:09Z'), at('c', '2026-01-01T00:00:07Z')])).toBe('2026-01-01T00:00:07Z');
  times.forget('ns/web');
  expect(times.changedAt(web, [pod])).toBe('2026-01-01T00:00:00Z');
  expect(withTriggerTime({ a: 'b', 'endpoints.kubernetes.io/last-change-trigger-time': 'x' }, undefined)).toEqual({ a: 'b' });
  expect(withTriggerTime({}, undefined)).toBeUndefined();
});

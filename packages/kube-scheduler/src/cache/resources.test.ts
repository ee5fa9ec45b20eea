import type { Container, Pod, PodStatus } from '@orrery/api/core/v1';
import { expect, test } from 'vitest';
import { podRequests } from './resources.ts';

const asks = (cpu: string): Container => ({ name: 'c', resources: { requests: { cpu } } });
const has = (allocated: string, actual = allocated) => ({
  name: 'c',
  resources: { requests: { cpu: actual } },
  allocatedResources: { cpu: allocated },
});
const makePod = (container: Container, status: object, sidecar = false): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
  spec: sidecar ? { containers: [], initContainers: [{ ...container, restartPolicy: 'Always' }] } : { containers: [container] },
  status: status as PodStatus,
});

const cases: readonly (readonly [string, Pod, number])[] = [
  ['what it wants', makePod(asks('1'), {}), 1000],
  ['a wish that is not granted yet', makePod(asks('2'), { containerStatuses: [has('1')] }), 2000],
  ['what it gives up, until it is given up', makePod(asks('1'), { containerStatuses: [has('1', '2')] }), 2000],
  [
    'not a wish that is never granted',
    makePod(asks('9'), { containerStatuses: [has('1')], conditions: [{ type: 'PodResizePending', reason: 'Infeasible' }] }),
    1000,
  ],
  ['sidecars too', makePod(asks('1'), { initContainerStatuses: [has('2')] }, true), 2000],
];
for (const [name, pod, want] of cases) test(`counts ${name}`, () => expect(podRequests(pod, false).milliCpu).toBe(want));

import type { PodSpec } from '@orrery/api/core/v1';
import { expect, test } from 'vitest';
import { podSpecWarnings } from './warnings.ts';

const container = { name: 'c', image: 'a' };
const cases: [string, Partial<PodSpec>, string[]][] = [
  ['nothing to say', {}, []],
  [
    'an old node label',
    { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } },
    ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
  ],
  [
    'a variable twice',
    {
      containers: [
        {
          ...container,
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
        },
      ],
    },
    ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'],
  ],
  [
    'a variable that builds on itself',
    {
      containers: [
        {
          ...container,
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '$(A)2' },
          ],
        },
      ],
    },
    [],
  ],
  [
    'a port in two containers',
    {
      containers: [
        { ...container, ports: [{ containerPort: 80, protocol: 'TCP' }] },
        { ...container, name: 'd', ports: [{ containerPort: 80, protocol: 'TCP' }] },
      ],
    },
    ['spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]'],
  ],
  [
    'part of a byte',
    { containers: [{ ...container, resources: { requests: { memory: '100m' } } }] },
    ['spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer'],
  ],
  ['pull secret twice', { imagePullSecrets: [{ name: 'a' }, { name: 'a' }] }, ['spec.imagePullSecrets[1].name: duplicate name "a"']],
];
for (const [name, spec, want] of cases) {
  test(name, () => expect(podSpecWarnings('', { containers: [container], ...spec }, undefined)).toEqual(want));
}

test('paths of a template', () => {
  const spec = { containers: [container], hostAliases: [{ ip: '1.2.3.4' }, { ip: '1.2.3.4' }] };
  expect(podSpecWarnings('spec.template', spec, undefined)).toEqual(['spec.template.spec.hostAliases[1].ip: duplicate ip "1.2.3.4"']);
});

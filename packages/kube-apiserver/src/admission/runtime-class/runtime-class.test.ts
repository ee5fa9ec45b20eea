import { pods, runtimeClasses, serviceAccounts } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/test-api.ts';
import { mergeTolerations } from './merge-tolerations.ts';

let api: TestApi;
const namespace = 'default';
const makeClass = (name: string, fields: object): Promise<unknown> =>
  api.client.create(runtimeClasses, { metadata: { name }, handler: 'runsc', ...fields } as never);
const create = (name: string, spec: object): Promise<Pod> =>
  api.client.create(pods, { metadata: { namespace, name }, spec: { containers: [{ name: 'c', image: 'a:1' }], ...spec } });

beforeAll(async () => {
  api = await startTestApi({ admission: {} });
  await api.client.create(serviceAccounts, { metadata: { namespace, name: 'default' } } as never);
  await makeClass('plain', {});
  await makeClass('heavy', { overhead: { podFixed: { cpu: '250m', memory: '120Mi' } } });
  await makeClass('picky', {
    scheduling: { nodeSelector: { sandbox: 'yes' }, tolerations: [{ key: 'sandbox', operator: 'Exists', effect: 'NoSchedule' }] },
  });
});
afterAll(() => api.close());

describe('RuntimeClass', () => {
  test('its overhead is the pod’s', async () => {
    const { spec } = await create('heavy', { runtimeClassName: 'heavy' });
    expect(spec.overhead).toEqual({ cpu: '250m', memory: '120Mi' });
    expect((await create('same', { runtimeClassName: 'heavy', overhead: { cpu: '0.25', memory: '120Mi' } })).spec.overhead).toBeDefined();
  });
  test('its nodes and tolerations join the pod’s', async () => {
    const { spec } = await create('picky', { runtimeClassName: 'picky', nodeSelector: { disk: 'ssd' } });
    expect(spec.nodeSelector).toEqual({ disk: 'ssd', sandbox: 'yes' });
    expect(spec.tolerations).toContainEqual({ key: 'sandbox', operator: 'Exists', effect: 'NoSchedule' });
  });
  const refusals: readonly (readonly [string, object, string])[] = [
    ['one that is not there', { runtimeClassName: 'lost' }, 'pod rejected: RuntimeClass "lost" not found'],
    [
      'another overhead',
      { runtimeClassName: 'heavy', overhead: { cpu: '1' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      'an overhead of its own',
      { runtimeClassName: 'plain', overhead: { cpu: '1' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
    [
      'nodes that contradict',
      { runtimeClassName: 'picky', nodeSelector: { sandbox: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[sandbox] = yes; pod.spec.nodeSelector[sandbox] = no',
    ],
  ];
  for (const [name, spec, message] of refusals) {
    test(`refuses ${name}`, () => expect(create('x', spec)).rejects.toThrow(`pods "x" is forbidden: ${message}`));
  }
  test('its handler is a DNS label and stays', async () => {
    await expect(makeClass('bad', { handler: 'A_b' })).rejects.toThrow('handler: Invalid value: "A_b"');
    const plain = await api.client.get(runtimeClasses, { name: 'plain' });
    await expect(api.client.update(runtimeClasses, { ...plain, handler: 'kata' })).rejects.toThrow('field is immutable');
  });
});

describe('mergeTolerations', () => {
  const exists = { operator: 'Exists' };
  const cases: readonly (readonly [string, object[], object[], object[]])[] = [
    [
      'both',
      [{ key: 'a', ...exists }],
      [{ key: 'b', ...exists }],
      [
        { key: 'a', ...exists },
        { key: 'b', ...exists },
      ],
    ],
    ['the same once', [{ key: 'a', ...exists }], [{ key: 'a', ...exists }], [{ key: 'a', ...exists }]],
    ['a wider later one', [{ key: 'a', value: 'x', operator: 'Equal' }], [exists], [exists]],
    [
      'a longer one',
      [{ key: 'a', ...exists, effect: 'NoExecute', tolerationSeconds: 5 }],
      [{ key: 'a', ...exists, effect: 'NoExecute' }],
      [{ key: 'a', ...exists, effect: 'NoExecute' }],
    ],
  ];
  for (const [name, first, second, want] of cases) test(name, () => expect(mergeTolerations(first, second)).toEqual(want));
});

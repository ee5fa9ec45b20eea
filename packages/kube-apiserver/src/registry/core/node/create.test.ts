import { nodes, pods } from '@orrery/api';
import type { Node, Pod } from '@orrery/api/core/v1';
import type { NewObject } from '@orrery/apimachinery';
import { expect, test } from 'vitest';
import { startTestApi } from '../../../testing/test-api.ts';

test('a node registers with its status; a pod does not choose its own', async () => {
  const api = await startTestApi();
  const node: NewObject<Node> = { metadata: { name: 'n' }, spec: {}, status: { capacity: { cpu: '4' } } };
  expect((await api.client.create(nodes, node)).status).toMatchObject({ capacity: { cpu: '4' }, allocatable: { cpu: '4' } });
  const pod: NewObject<Pod> = {
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
    status: { phase: 'Running' },
  };
  expect((await api.client.create(pods, pod)).status.phase).toBe('Pending');
  await api.close();
});

import { isStatusError, type Json } from '@orrery/apimachinery';
import type { PatchType } from '@orrery/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deployment, deployments, pod, pods, startApi, type TestApi } from './test-api.ts';

/** Whatever a client sends is answered, or refused with a Status that blames the client. */
async function answered(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isStatusError(error)) throw error;
    expect(error.code, error.message).toSatisfy((code: number) => (code >= 400 && code < 500) || error.reason === '');
    expect(error.message).not.toBe('');
  }
}

const text = fc.oneof(
  fc.string(),
  fc.constantFrom('__proto__', 'constructor', 'a=b', 'a in (b', '!a', 'spec.nodeName=n', 'metadata.name', '%', '\u0000', '../..'),
);
const token = fc.oneof(
  text,
  fc
    .record(
      { v: fc.constantFrom('meta.k8s.io/v1', 'v2'), rv: fc.oneof(fc.integer({ max: 3 }), fc.string()), start: text },
      { requiredKeys: [] },
    )
    .map((point) => Buffer.from(JSON.stringify(point)).toString('base64url')),
);
const json = fc.jsonValue() as fc.Arbitrary<Json>;
const patch: fc.Arbitrary<Json> = fc.oneof(
  json,
  fc.array(
    fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
        path: fc.constantFrom('', '/spec', '/spec/containers/0', '/metadata/name', '/a~2'),
        from: text,
        value: json,
      },
      { requiredKeys: ['op'] },
    ),
  ),
  fc.record({ metadata: json, spec: json, status: json, $patch: json, $retainKeys: json }, { requiredKeys: [] }),
);

const start = async (): Promise<TestApi> => {
  const api = startApi();
  await api.call('create', pods, { body: pod('x') });
  await api.call('create', deployments, { body: deployment('x') });
  return api;
};

test('options of lists', async () => {
  const api = await start();
  const options = fc.record(
    { labelSelector: text, fieldSelector: text, continue: token, resourceVersion: fc.oneof(fc.constantFrom('0', '1', '2'), text) },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(options, async (listOptions) => answered(api.clock.runFor(api.call('list', pods, { options: listOptions })))),
    { numRuns: 300 },
  );
});

test('bodies', async () => {
  const api = await start();
  const body = fc.oneof(json, fc.record({ apiVersion: json, kind: json, metadata: json, spec: json, status: json }, { requiredKeys: [] }));
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('create', 'update', 'delete'), async (value, verb) =>
      answered(api.call(verb, deployments, { name: verb === 'create' ? undefined : 'y', body: value })),
    ),
    { numRuns: 300 },
  );
});

test('patches', async () => {
  const api = await start();
  await fc.assert(
    fc.asyncProperty(
      patch,
      fc.constantFrom<PatchType>('json', 'merge', 'strategic', 'apply'),
      fc.constantFrom(undefined, 'status', 'scale'),
      async (body, patchType, subresource) =>
        answered(api.call('patch', deployments, { name: 'x', patchType, subresource, body, options: { fieldManager: 'f', dryRun: true } })),
    ),
    { numRuns: 500 },
  );
});

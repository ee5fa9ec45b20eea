import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accept, startWire, type Wire } from './wire.ts';

let wire: Wire;
beforeAll(async () => {
  wire = await startWire({ controllers: false, scheduler: false, nodes: 1 });
});
afterAll(() => wire?.[Symbol.asyncDispose]());

const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const review = {
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  spec: { nonResourceAttributes: { path: '/', verb: 'get' } },
};

describe('forms of answers', () => {
  test('a Table of what has no rows is not acceptable', async () => {
    expect(await wire.expectCode(406, 'POST', reviews, { body: review, accept: accept.table })).toMatchObject({ reason: 'NotAcceptable' });
    expect(await wire.expectCode(201, 'POST', reviews, { body: review })).toMatchObject({ status: { allowed: true } });
  });

  test('chunks of a Table', async () => {
    const path = `/api/v1/namespaces/${await wire.namespace()}/podtemplates`;
    const template = { spec: { containers: [{ name: 'test', image: 'test2' }] } };
    for (const name of ['t-0', 't-1', 't-2']) await wire.expectCode(201, 'POST', path, { body: { metadata: { name }, template } });
    for (const version of ['v1', 'v1beta1']) {
      const form = `application/json;as=Table;v=${version};g=meta.k8s.io`;
      const first = await wire.expectCode(200, 'GET', `${path}?limit=2`, { accept: form });
      expect(first).toMatchObject({ kind: 'Table', apiVersion: `meta.k8s.io/${version}`, metadata: { remainingItemCount: 1 } });
      expect(first.rows.map(({ cells }: { cells: string[] }) => cells[0])).toEqual(['t-0', 't-1']);
      expect(first.rows[0].cells).toHaveLength(first.columnDefinitions.length);
      expect(first.rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}` });
      const second = await wire.expectCode(200, 'GET', `${path}?continue=${encodeURIComponent(first.metadata.continue)}`, { accept: form });
      expect(second.rows.map(({ cells }: { cells: string[] }) => cells[0])).toEqual(['t-2']);
      expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    }
  });

  test('every path says that its answer is private', async () => {
    for (const path of ['/', '/healthz', '/openapi/v2', '/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/api/v1/namespaces']) {
      expect((await wire.ask('GET', path)).headers['cache-control'], path).toContain('private');
    }
  });
});

describe('methods', () => {
  const absent = [
    ['GET', '/api/v1/namespaces/default/finalize', 405],
    ['POST', '/api/v1/pods', 405],
    ['PUT', '/api/v1/namespaces/default/pods', 405],
    ['DELETE', '/api/v1/namespaces', 405],
    ['GET', '/api/v1/namespaces/default/nothings', 404],
    ['GET', '/apis/none/v1', 404],
  ] as const;
  test.each(absent)('%s %s → %i', async (method, path, code) => {
    expect(await wire.expectCode(code, method, path)).toMatchObject({ kind: 'Status', status: 'Failure', code });
  });
});

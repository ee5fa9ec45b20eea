import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const warning = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';

test.each([
  ['a list', '/api/v1/namespaces/a/endpoints', 'GET', 200],
  ['an absent object', '/api/v1/namespaces/a/endpoints/none', 'GET', 404],
  ['a watch', '/api/v1/namespaces/a/endpoints?watch=1&timeoutSeconds=1', 'GET', 200],
])('%s of a deprecated kind carries a warning', async (_name, path, method, status) => {
  const answer = await server.open(path, { method });
  expect([answer.statusCode, answer.headers['warning']]).toEqual([status, warning]);
  answer.destroy();
});

test('other kinds carry none', async () => {
  expect((await server.ask('/api/v1/namespaces/a/configmaps')).headers['warning']).toBeUndefined();
});

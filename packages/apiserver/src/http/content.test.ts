import { protobufCodec } from '@orrery/api';
import { FrameSplitter, type KubeObject } from '@orrery/apimachinery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
const codec = protobufCodec();
const protobuf = 'application/vnd.kubernetes.protobuf';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

const object = (kind: string, name: string): KubeObject =>
  ({
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace: 'a', resourceVersion: '7', creationTimestamp: '2026-01-02T03:04:05Z' },
    data: { answer: 'yes' },
  }) as unknown as KubeObject;

beforeAll(async () => {
  server = await startTestServer();
  for (const [resource, kind] of [
    ['configmaps', 'ConfigMap'],
    ['pods', 'Pod'],
  ] as const) {
    for (const name of ['one', 'two']) {
      const { metadata, ...rest } = object(kind, name);
      const body = JSON.stringify({ ...rest, ...(kind === 'Pod' ? { data: undefined } : {}), metadata: { ...metadata } });
      await server.ask(`/api/v1/namespaces/a/${resource}`, { method: 'POST', body });
    }
  }
});
afterAll(() => server.close());

const get = (path: string, accept: string, headers: Record<string, string> = {}) => server.ask(path, { headers: { accept, ...headers } });
const bytesOf = async (path: string, accept: string): Promise<Buffer> => {
  const response = await server.open(path, { headers: { accept } });
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
};

describe('formats of answers', () => {
  test('protobuf: an object, a list and an error', async () => {
    const one = codec.decode(await bytesOf('/api/v1/namespaces/a/configmaps/one', protobuf));
    expect(one).toMatchObject({ kind: 'ConfigMap', value: { metadata: { name: 'one' }, data: { answer: 'yes' } } });
    const list = codec.decode(await bytesOf('/api/v1/configmaps', `${protobuf},application/json`));
    expect(list).toMatchObject({ kind: 'ConfigMapList', value: { items: [{ metadata: { name: 'one' } }, { metadata: { name: 'two' } }] } });
    expect(codec.decode(await bytesOf('/api/v1/configmaps/none', protobuf)).value).toMatchObject({ kind: 'Status', code: 404 });
  });

  test('YAML, with text that looks like something else quoted', async () => {
    const answer = await get('/api/v1/namespaces/a/configmaps/one', 'application/yaml');
    expect(answer.headers['content-type']).toBe('application/yaml');
    expect(answer.text).toContain('data:\n  answer: "yes"\n');
    expect(answer.text).toContain('creationTimestamp: "2026-01-02T03:04:05Z"');
  });

  test('indented when asked, and for curl', async () => {
    expect((await get('/api/v1/namespaces/a/configmaps/one?pretty=true', '*/*')).text).toMatch(/^\{\n {2}"apiVersion"/);
    expect((await get('/api/v1/configmaps', '*/*', { 'user-agent': 'curl/8' })).text).toMatch(/^\{\n {2}"kind"/);
    expect((await get('/api/v1/configmaps?pretty=false', '*/*', { 'user-agent': 'curl/8' })).text).toMatch(/^\{"kind"/);
  });

  const refused = [
    {
      name: 'an unknown type',
      accept: 'text/html',
      path: '/api/v1/configmaps',
      list: 'application/json, application/yaml, application/vnd.kubernetes.protobuf',
    },
    {
      name: 'a Table in protobuf',
      accept: `${protobuf};as=Table;v=v1;g=meta.k8s.io`,
      path: '/api/v1/configmaps',
      list: 'application/json, application/yaml, application/vnd.kubernetes.protobuf',
    },
    {
      name: 'a watch in YAML',
      accept: 'application/json;q=0, text/yaml',
      path: '/api/v1/configmaps?watch=1',
      list: 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
    },
  ];
  for (const { name, accept, path, list } of refused) {
    test(`406: ${name}`, async () => {
      const answer = await get(path, accept);
      expect([answer.status, answer.json()]).toEqual([
        406,
        expect.objectContaining({ reason: 'NotAcceptable', message: `only the following media types are accepted: ${list}` }),
      ]);
    });
  }

  test('the best form the server has', async () => {
    const kindOf = async (accept: string): Promise<unknown> => (await get('/api/v1/pods', accept)).json()['kind'];
    expect(await kindOf(`application/json;as=Nothing;v=v1;g=x, ${table};q=0.5, application/json;q=0.9`)).toBe('PodList');
    expect(await kindOf(`${table},application/json`)).toBe('Table');
    expect(await kindOf('text/*;q=0.9, */*;q=0.1')).toBe('PodList');
  });
});

describe('Tables and metadata', () => {
  test("a list in the kind's columns", async () => {
    const answer = (await get('/api/v1/pods', table)).json<{
      columnDefinitions: { name: string; priority: number }[];
      rows: { cells: unknown[]; object: KubeObject }[];
    }>();
    expect(answer).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: { resourceVersion: expect.any(String) } });
    expect(answer.columnDefinitions[0]).toEqual({ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 });
    expect(answer.rows.map(({ cells }) => cells.slice(0, 2))).toEqual([
      ['one', '1/1'],
      ['two', '1/1'],
    ]);
    expect(answer.rows[0]?.object).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'one' },
    });
  });

  test('columns of a kind without any, rows with the object or nothing', async () => {
    const whole = (await get('/api/v1/namespaces/a/configmaps/one?includeObject=Object', table)).json<{
      columnDefinitions: { name: string }[];
      rows: { cells: unknown[]; object: unknown }[];
    }>();
    expect(whole.columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Created At']);
    expect(whole.rows).toMatchObject([{ cells: ['one', '2026-01-02T03:04:05Z'], object: { kind: 'ConfigMap', data: { answer: 'yes' } } }]);
    const none = (await get('/api/v1/configmaps?includeObject=None', table)).json<{ rows: { object: unknown }[] }>();
    expect(none.rows.map(({ object: shown }) => shown)).toEqual([null, null]);
    const wrong = await get('/api/v1/configmaps?includeObject=All', table);
    expect([wrong.status, wrong.json()['message']]).toEqual([
      400,
      `Unable to convert to Table as requested: includeObject: Invalid value: "All": must be 'Metadata', 'Object', 'None', or empty`,
    ]);
  });

  test('metadata alone', async () => {
    expect((await get('/api/v1/namespaces/a/configmaps/one', partial)).json()).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: expect.objectContaining({ name: 'one' }),
    });
    expect((await get('/api/v1/configmaps', partialList)).json()).toMatchObject({
      kind: 'PartialObjectMetadataList',
      items: [{ metadata: { name: 'one' } }, {}],
    });
    expect((await get('/api/v1/configmaps', partial)).status).toBe(406);
    const bytes = await bytesOf('/api/v1/configmaps', `${protobuf};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io`);
    expect(codec.decode(bytes).value).toMatchObject({ items: [{ metadata: { name: 'one' } }, {}] });
  });
});

describe('watches in other forms', () => {
  test('a Table names its columns once; a bookmark has no cells', async () => {
    const response = await server.open('/api/v1/pods?watch=1', { headers: { accept: table } });
    const lines = response.setEncoding('utf8')[Symbol.asyncIterator]();
    server.handler.emit({ type: 'ADDED', object: object('Pod', 'x') }, { type: 'BOOKMARK', object: object('Pod', '') });
    const events = String((await lines.next()).value)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toMatchObject([
      { type: 'ADDED', object: { kind: 'Table', metadata: { resourceVersion: '7' }, rows: [{ cells: ['x', '1/1', expect.any(Number)] }] } },
      { type: 'BOOKMARK', object: { columnDefinitions: null, rows: [{ cells: [null, null, null] }] } },
    ]);
    expect(events[0].object.columnDefinitions).toHaveLength(3);
    response.destroy();
  });

  test('protobuf frames', async () => {
    const response = await server.open('/api/v1/configmaps?watch=1', { headers: { accept: `${protobuf};stream=watch` } });
    expect(response.headers['content-type']).toBe('application/vnd.kubernetes.protobuf;stream=watch');
    server.handler.emit({ type: 'ADDED', object: object('ConfigMap', 'p') }, { type: 'DELETED', object: object('ConfigMap', 'p') });
    const splitter = new FrameSplitter(1024 * 1024);
    const frames: Uint8Array[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) {
      frames.push(...splitter.push(chunk));
      if (frames.length === 2) break;
    }
    expect(frames.map((frame) => codec.decodeWatchEvent(frame))).toMatchObject([
      { type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'p' } } },
      { type: 'DELETED' },
    ]);
  });

  test('WebSocket messages', async () => {
    const socket = new WebSocket(`${server.url.replace('https', 'wss')}/api/v1/configmaps?watch=1`, {
      ca: server.authority.cert,
      ...server.admin,
    });
    await new Promise((resolve) => socket.once('open', () => resolve(undefined)));
    await expect.poll(() => server.handler.watches).toBe(1);
    const message = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
    server.handler.emit({ type: 'ADDED', object: object('ConfigMap', 's') });
    expect(JSON.parse(await message)).toMatchObject({ type: 'ADDED', object: { metadata: { name: 's' } } });
    socket.close();
    await expect.poll(() => server.handler.watches).toBe(0);
  });
});

describe('bodies', () => {
  const post = (contentType: string, body: string | Buffer) =>
    server.ask('/api/v1/namespaces/a/configmaps', { method: 'POST', headers: { 'content-type': contentType }, body });

  test('YAML and protobuf', async () => {
    expect((await post('application/yaml', 'metadata:\n  name: ya\ndata: {a: b}\n')).json()).toMatchObject({
      metadata: { name: 'ya' },
      data: { a: 'b' },
    });
    const bytes = codec.encode({ ...object('ConfigMap', 'pb') });
    expect((await post(protobuf, bytes)).json()).toMatchObject({ metadata: { name: 'pb' }, data: { answer: 'yes' } });
  });

  test('duplicate keys are handed on', async () => {
    await post('application/json', '{"metadata":{"name":"d"},"data":{"a":"1","a":"2"}}');
    expect(server.handler.calls.at(-1)).toMatchObject({ duplicates: ['duplicate field "data.a"'], body: { data: { a: '2' } } });
  });

  const bad = [
    { name: 'no JSON', type: 'application/json', body: '{"a"', code: 400 },
    { name: 'nothing', type: 'application/json', body: '', code: 400 },
    { name: 'no YAML', type: 'application/yaml', body: 'a: [', code: 400 },
    { name: 'no protobuf', type: protobuf, body: 'k8s\0\xff\xff', code: 400 },
    { name: 'another type', type: 'application/xml', body: '<a/>', code: 415 },
    { name: 'nested too deeply', type: 'application/json', body: '['.repeat(100_000), code: 400 },
    { name: 'too large', type: 'application/json', body: `"${'x'.repeat(3 * 1024 * 1024)}"`, code: 413 },
  ];
  for (const { name, type, body, code } of bad) {
    test(`${name}: ${code} and a Status`, async () => {
      const answer = await post(type, body);
      expect([answer.status, answer.json()['kind']]).toEqual([code, 'Status']);
    });
  }

  test('the words of 413 and 415', async () => {
    expect((await post('application/json', `"${'x'.repeat(3 * 1024 * 1024)}"`)).json()['message']).toBe(
      'Request entity too large: limit is 3145728',
    );
    expect((await post('a/b', '')).json()['message']).toBe(
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
    const patch = await server.ask('/api/v1/namespaces/a/configmaps/one', {
      method: 'PATCH',
      headers: { 'content-type': 'application/apply-patch+cbor' },
      body: '{}',
    });
    expect([patch.status, patch.json()['message']]).toEqual([
      415,
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
    ]);
  });

  test('delete options come from the body or from the query', async () => {
    const calls = server.handler.calls;
    const path = '/api/v1/namespaces/a/configmaps/none';
    await server.ask(`${path}?gracePeriodSeconds=5&propagationPolicy=Orphan`, { method: 'DELETE' });
    expect(calls.at(-1)?.options).toEqual({ gracePeriodSeconds: 5, propagationPolicy: 'Orphan' });
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', orphanDependents: false, dryRun: ['All'], preconditions: { uid: 'u' } };
    await server.ask(`${path}?gracePeriodSeconds=5`, { method: 'DELETE', body: JSON.stringify(body) });
    expect(calls.at(-1)?.options).toEqual({ dryRun: true, preconditions: { uid: 'u' } });
    expect(calls.at(-1)?.body).toEqual({ orphanDependents: false });
    await server.ask(path, {
      method: 'DELETE',
      headers: { 'content-type': protobuf },
      body: codec.encode({ kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 }),
    });
    expect(calls.at(-1)?.options).toEqual({ gracePeriodSeconds: 0 });
  });
});

import { expect, test } from 'vitest';
import type { RawRequest } from '../transport.ts';
import { newDiscovery } from './discovery.ts';

type Answers = Record<string, { readonly etag?: string; readonly value: unknown } | number>;

function server(answers: Answers) {
  const asked: string[] = [];
  const raw = async ({ path, headers = {} }: RawRequest) => {
    const answer = answers[path] ?? 404;
    asked.push(path);
    const body = async function* (text: string) {
      yield Buffer.from(text);
    };
    if (typeof answer === 'number') return { status: answer, headers: {}, body: body('no') };
    const tag = answer.etag === undefined ? {} : { etag: answer.etag };
    if (answer.etag !== undefined && headers['if-none-match'] === answer.etag) return { status: 304, headers: tag, body: body('') };
    return { status: 200, headers: tag, body: body(JSON.stringify(answer.value)) };
  };
  return { asked, answers, discovery: newDiscovery({ raw }) };
}

const verbs = ['delete', 'list'];
const entry = (resource: string, kind: string, scope = 'Namespaced') => ({ resource, responseKind: { kind }, scope, verbs });
const list = (...items: unknown[]) => ({ kind: 'APIGroupDiscoveryList', items });
const core = list({ versions: [{ version: 'v1', resources: [entry('pods', 'Pod'), entry('nodes', 'Node', 'Cluster'), entry('x', '')] }] });

test('aggregated: preferred versions, stale versions, and nothing read twice', async () => {
  const example = {
    metadata: { name: 'example.com' },
    versions: [
      { version: 'v2', resources: [entry('as', 'A')] },
      { version: 'v1', resources: [entry('as', 'A'), entry('bs', 'B')] },
      { version: 'v3', freshness: 'Stale' },
    ],
  };
  const { discovery, answers } = server({ '/api': { etag: '"1"', value: core }, '/apis': { etag: '"2"', value: list(example) } });
  const api = await discovery.read();
  expect(api.resources.map((r) => [r.group, r.version, r.resource, r.kind, r.namespaced, r.preferred])).toEqual([
    ['', 'v1', 'pods', 'Pod', true, true],
    ['', 'v1', 'nodes', 'Node', false, true],
    ['example.com', 'v2', 'as', 'A', true, true],
    ['example.com', 'v1', 'as', 'A', true, false],
    ['example.com', 'v1', 'bs', 'B', true, true],
  ]);
  expect([...api.failures.keys()]).toEqual(['example.com/v3']);
  expect(await discovery.read()).toBe(api);
  answers['/apis'] = { etag: '"3"', value: list() };
  expect((await discovery.read()).resources).toHaveLength(2);
});

test('the older form, one group away', async () => {
  const resource = (name: string, kind: string) => ({ name, kind, namespaced: true, verbs });
  const { discovery } = server({
    '/api': { value: { kind: 'APIVersions', versions: ['v1'] } },
    '/api/v1': { value: { resources: [resource('pods', 'Pod'), resource('pods/log', 'Pod')] } },
    '/apis': {
      value: {
        kind: 'APIGroupList',
        groups: [
          { name: 'a.io', versions: [{ version: 'v1' }, { version: 'v2' }], preferredVersion: { version: 'v2' } },
          { name: 'b.io', versions: [{ version: 'v1' }] },
        ],
      },
    },
    '/apis/a.io/v1': { value: { resources: [resource('as', 'A')] } },
    '/apis/a.io/v2': { value: { resources: [resource('as', 'A')] } },
    '/apis/b.io/v1': 503,
  });
  const { resources, failures } = await discovery.read();
  expect(resources.filter(({ preferred }) => preferred).map(({ version, resource: name }) => `${name} ${version}`)).toEqual([
    'pods v1',
    'as v2',
  ]);
  expect([...failures.keys()]).toEqual(['b.io/v1']);
});

test('a server that is away', async () => {
  await expect(server({}).discovery.read()).rejects.toThrow('GET /api: status 404');
});

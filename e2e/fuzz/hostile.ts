import type { Random } from '@orrery/base';

const pick = <T>(random: Random, values: readonly T[]): T => values[random.integer(values.length)] as T;

const scalars = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  9007199254740992,
  '',
  'a',
  '\u0000',
  '\ud800',
  '💥',
  'x'.repeat(5000),
  '2024-01-01T00:00:00Z',
  '-5Gi',
  '__proto__',
];
const fields = [
  'metadata',
  'name',
  'labels',
  'annotations',
  'spec',
  'template',
  'containers',
  'data',
  'finalizers',
  'ownerReferences',
  'managedFields',
  'status',
  '__proto__',
  'constructor',
  'toString',
  'kind',
  'apiVersion',
  '$patch',
  '$deleteFromPrimitiveList/finalizers',
  '$setElementOrder/containers',
  '',
];

/** Any JSON value, its fields named as objects of the API have them. */
export function anyValue(random: Random, depth = 4): unknown {
  const kind = depth === 0 ? 0 : random.integer(3);
  if (kind === 0) return pick(random, scalars);
  if (kind === 1) return Array.from({ length: random.integer(4) }, () => anyValue(random, depth - 1));
  return Object.fromEntries(Array.from({ length: random.integer(5) }, () => [pick(random, fields), anyValue(random, depth - 1)]));
}

export interface Target {
  readonly collection: string;
  readonly sample: (name: string) => Record<string, unknown>;
}

const podSpec = {
  containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: 'b' }], ports: [{ containerPort: 80 }] }],
  nodeName: 'nowhere',
};
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: podSpec.containers, schedulerName: 'nobody' } };

export const targets: readonly Target[] = [
  {
    collection: '/api/v1/namespaces/fuzz/configmaps',
    sample: (name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'b' } }),
  },
  {
    collection: '/api/v1/namespaces/fuzz/pods',
    sample: (name) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { ...podSpec, nodeName: undefined, schedulerName: 'nobody' },
    }),
  },
  {
    collection: '/api/v1/namespaces/fuzz/services',
    sample: (name) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }] } }),
  },
  {
    collection: '/apis/apps/v1/namespaces/fuzz/deployments',
    sample: (name) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: { replicas: 0, selector: { matchLabels: { a: 'b' } }, template },
    }),
  },
  {
    collection: '/apis/batch/v1/namespaces/fuzz/jobs',
    sample: (name) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name },
      spec: { suspend: true, template: { spec: { ...template.spec, restartPolicy: 'Never' } } },
    }),
  },
  { collection: '/api/v1/nodes', sample: (name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } }) },
];

/** `value` with one of its parts replaced, added or taken away. */
export function damaged(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.integer(5) === 0) return anyValue(random);
  if (Array.isArray(value)) return value.map((each) => (random.integer(value.length) === 0 ? damaged(random, each) : each));
  const entries = Object.entries(value);
  const at = random.integer(entries.length + 1);
  if (at === entries.length) return { ...value, [pick(random, fields)]: anyValue(random) };
  return Object.fromEntries(entries.map(([name, each], index) => [name, index === at ? damaged(random, each) : each]));
}

/** Bytes with a few of them changed, cut or repeated. */
export function garbled(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let change = random.integer(6); change > 0 && copy.length > 0; change -= 1) copy[random.integer(copy.length)] = random.integer(256);
  const cut = random.integer(4) === 0 ? copy.subarray(0, random.integer(copy.length + 1)) : copy;
  return random.integer(6) === 0 ? Buffer.concat([cut, cut]) : cut;
}

const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);

/** Bodies that break naive parsers, as they stand. */
export const bombs: readonly (readonly [string, string])[] = [
  ['application/json', nested(100_000, '[', ']')],
  ['application/json', nested(50_000, '{"a":', '}')],
  ['application/json', `{"metadata":${nested(20_000, '{"labels":', '}')}}`],
  ['application/json', '{"metadata":{"name":"d","name":"e"},"metadata":{"name":"f"},"data":{"a":"b","a":"c"}}'],
  ['application/json', `{"data":{${Array.from({ length: 50_000 }, (_, index) => `"k${index}":"v"`).join(',')}}}`],
  ['application/json', `"${'x'.repeat(4 * 1024 * 1024)}"`],
  ['application/json', '\ufeff{}'],
  ['application/json', '{"metadata":{"name":"a"}} trailing'],
  ['application/json', 'NaN'],
  ['application/json', '1e999999'],
  [
    'application/yaml',
    `a: &a [x,x,x,x,x,x,x,x]\n${'bcdefghij'.replace(/./g, (c) => `${c}: &${c} [*${String.fromCharCode(c.charCodeAt(0) - 1)},*${String.fromCharCode(c.charCodeAt(0) - 1)},*${String.fromCharCode(c.charCodeAt(0) - 1)},*${String.fromCharCode(c.charCodeAt(0) - 1)},*${String.fromCharCode(c.charCodeAt(0) - 1)},*${String.fromCharCode(c.charCodeAt(0) - 1)},*${String.fromCharCode(c.charCodeAt(0) - 1)},*${String.fromCharCode(c.charCodeAt(0) - 1)}]\n`)}`,
  ],
  ['application/yaml', nested(20_000, '[', ']')],
  ['application/yaml', '? {a: b}\n: c\n'],
  ['application/yaml', '!!js/function "x"'],
  ['application/yaml', 'a: *nothing'],
  ['application/yaml', '--- a\n--- b\n'],
  ['application/yaml', `${'  '.repeat(5000)}a: b`],
  ['application/vnd.kubernetes.protobuf', 'k8s\0'],
  ['application/vnd.kubernetes.protobuf', `k8s\0\x0a\xff\xff\xff\xff\x0f`],
  ['application/vnd.kubernetes.protobuf', `k8s\0${'\x12'.repeat(100_000)}`],
  ['text/plain', '{}'],
  ['', '{}'],
];

const names = [
  'labelSelector',
  'fieldSelector',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'timeoutSeconds',
  'timeout',
  'pretty',
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'force',
  'gracePeriodSeconds',
  'propagationPolicy',
  'allowWatchBookmarks',
  'sendInitialEvents',
  'watch',
  'nothing',
];
const values = [
  '',
  '1',
  '0',
  '-1',
  '9999999999999999999',
  'true',
  'x',
  'a in (b',
  'a=b,!c',
  'a==b==c',
  'a notin ()',
  '!',
  ',',
  '(',
  'a in (a,,b)',
  'metadata.name=x',
  'spec.nodeName!=y',
  'status.phase=',
  'no.such=field',
  'metadata.name=a\\,b',
  'Exact',
  'NotOlderThan',
  'All',
  'Strict',
  'Foreground',
  '%00',
  '%ff',
  '💥',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6OTk5OTk5OTksInN0YXJ0IjoiLi4vLi4vc2VjcmV0cyJ9',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiIn0',
  'bm9uc2Vuc2U',
  '1'.repeat(3000),
];

/** A query of options, some of them with values that they may not have. */
export function anyQuery(random: Random): string {
  const parts = Array.from(
    { length: random.integer(4) },
    () =>
      `${pick(random, names)}=${pick(
        random,
        values.map((each) => (each.startsWith('%') ? each : encodeURIComponent(each))),
      )}`,
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

const segments = [
  'api',
  'apis',
  'v1',
  'apps',
  'namespaces',
  'fuzz',
  'pods',
  'a',
  'log',
  'exec',
  'proxy',
  'status',
  'scale',
  'watch',
  '..',
  '.',
  '%2e%2e',
  '%00',
  '%zz',
  '',
  'x'.repeat(3000),
  '💥',
  'openapi',
  'v2',
  'v3',
  'metrics',
  'healthz',
  'nodes',
  'bindings',
];
export const anyPath = (random: Random): string =>
  encodeURI(`/${Array.from({ length: random.integer(8) }, () => pick(random, segments)).join('/')}`).replaceAll('%25', '%');

export const anyHeaders = (random: Random): Record<string, string> => ({
  accept: pick(random, [
    '*/*',
    '',
    'application/json',
    'application/yaml',
    'application/vnd.kubernetes.protobuf',
    'application/json;as=Table;v=v1;g=meta.k8s.io',
    'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    'application/json;as=Nothing;v=v9;g=x',
    'text/html',
    ';;;',
    'application/json;stream=watch;q=2',
    `${'a/b,'.repeat(2000)}*/*`,
  ]),
  'accept-encoding': pick(random, ['', 'gzip', 'br;q=1', 'identity;q=0', '*']),
  ...(random.integer(4) === 0 ? { 'impersonate-user': pick(random, ['', 'bob', 'system:admin', 'x'.repeat(5000)]) } : {}),
  ...(random.integer(6) === 0 ? { authorization: pick(random, ['Bearer', 'Bearer x', 'Basic !!!', 'x']) } : {}),
  ...(random.integer(6) === 0 ? { upgrade: 'websocket', connection: 'Upgrade' } : {}),
  ...(random.integer(6) === 0 ? { 'content-encoding': pick(random, ['gzip', 'nonsense']) } : {}),
});

export const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
] as const;

/** A patch of a type, mostly of the right shape. */
export function anyPatch(random: Random, type: string, sample: unknown): string {
  if (type !== 'application/json-patch+json') return JSON.stringify(damaged(random, sample));
  const paths = [
    '',
    '/',
    '/metadata',
    '/metadata/labels',
    '/data/a',
    '/spec/containers/0',
    '/spec/containers/-',
    '/spec/containers/99999999',
    '/metadata/name',
    '/~2',
    '/__proto__/x',
    '/a/~1',
    'x',
  ];
  const ops = Array.from({ length: random.integer(5) }, () => ({
    op: pick(random, ['add', 'remove', 'replace', 'move', 'copy', 'test', 'x']),
    path: pick(random, paths),
    from: pick(random, paths),
    value: anyValue(random, 3),
  }));
  return JSON.stringify(random.integer(8) === 0 ? anyValue(random) : ops);
}

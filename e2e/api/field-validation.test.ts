import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, contentType, startWire, type Wire } from './wire.ts';

let wire: Wire;
let path: string;
beforeAll(async () => {
  wire = await startWire({ controllers: false, scheduler: false });
  path = `/apis/apps/v1/namespaces/${await wire.namespace()}/deployments`;
});
afterAll(() => wire?.[Symbol.asyncDispose]());

// Written by hand: duplicates and the order of fields count, and so do lines.
const invalidJson = (name: string) => `{
  "apiVersion": "apps/v1", "kind": "Deployment",
  "metadata": { "name": "${name}", "labels": { "app": "nginx" } },
  "spec": {
    "unknown1": "val1",
    "unknownDupe": "valDupe",
    "unknownDupe": "valDupe2",
    "paused": true,
    "paused": false,
    "selector": { "matchLabels": { "app": "nginx" } },
    "template": {
      "metadata": { "labels": { "app": "nginx" } },
      "spec": { "containers": [{
        "name": "nginx", "image": "nginx:latest", "unknownNested": "val1",
        "imagePullPolicy": "Always",
        "imagePullPolicy": "Never"
      }] }
    }
  }
}`;
const invalidYaml = (name: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app: nginx
spec:
  unknown1: val1
  unknownDupe: valDupe
  unknownDupe: valDupe2
  paused: true
  paused: false
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:latest
        unknownNested: val1
        imagePullPolicy: Always
        imagePullPolicy: Never`;
const validJson = (name: string) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app: 'nginx' } },
    spec: {
      selector: { matchLabels: { app: 'nginx' } },
      template: {
        metadata: { labels: { app: 'nginx' } },
        spec: { containers: [{ name: 'nginx', image: 'nginx:latest', imagePullPolicy: 'Always' }] },
      },
    },
  });
// Indented by tabs, as kubectl's users do.
const applyJson = (name: string) => `{
\t"apiVersion": "apps/v1",
\t"kind": "Deployment",
\t"metadata": { "name": "${name}", "labels": { "app": "nginx" } },
\t"spec": {
\t\t"paused": false,
\t\t"paused": true,
\t\t"selector": { "matchLabels": { "app": "nginx" } },
\t\t"template": {
\t\t\t"metadata": { "labels": { "app": "nginx" } },
\t\t\t"spec": { "containers": [{
\t\t\t\t"name": "nginx", "image": "nginx:latest",
\t\t\t\t"imagePullPolicy": "Never",
\t\t\t\t"imagePullPolicy": "Always"
\t\t\t}] }
\t\t}
\t}
}`;
const patchBody = `{ "spec": {
  "unknown1": "val1", "unknownDupe": "valDupe", "unknownDupe": "valDupe2", "paused": true, "paused": false,
  "template": { "spec": { "containers": [{
    "name": "nginx", "image": "nginx:latest", "unknownNested": "val1", "imagePullPolicy": "Always", "imagePullPolicy": "Never"
  }] } }
} }`;
const jsonPatchBody = `[
  {"op": "add", "path": "/spec/unknown1", "value": "val1", "foo": "bar"},
  {"op": "add", "path": "/spec/unknown2", "path": "/spec/unknown3", "value": "val1"},
  {"op": "add", "path": "/spec/unknownDupe", "value": "valDupe"},
  {"op": "add", "path": "/spec/unknownDupe", "value": "valDupe2"},
  {"op": "add", "path": "/spec/paused", "value": true},
  {"op": "add", "path": "/spec/paused", "value": false},
  {"op": "add", "path": "/spec/template/spec/containers/0/unknownNested", "value": "val1"},
  {"op": "add", "path": "/spec/template/spec/containers/0/imagePullPolicy", "value": "Always"},
  {"op": "add", "path": "/spec/template/spec/containers/0/imagePullPolicy", "value": "Never"}
]`;

const typed = [
  'unknown field "spec.unknown1"',
  'unknown field "spec.unknownDupe"',
  'duplicate field "spec.paused"',
  'unknown field "spec.template.spec.containers[0].unknownNested"',
  'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
];
const yaml = [
  'line 10: key "unknownDupe" already set in map',
  'line 12: key "paused" already set in map',
  'line 26: key "imagePullPolicy" already set in map',
  'unknown field "spec.template.spec.containers[0].unknownNested"',
  'unknown field "spec.unknown1"',
  'unknown field "spec.unknownDupe"',
];
const patched = [
  'duplicate field "spec.unknownDupe"',
  'duplicate field "spec.paused"',
  'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
  'unknown field "spec.template.spec.containers[0].unknownNested"',
  'unknown field "spec.unknown1"',
  'unknown field "spec.unknownDupe"',
];
const jsonPatched = [
  'json patch unknown field "[0].foo"',
  'json patch duplicate field "[1].path"',
  'unknown field "spec.template.spec.containers[0].unknownNested"',
  'unknown field "spec.unknown1"',
  'unknown field "spec.unknown3"',
  'unknown field "spec.unknownDupe"',
];
const applied = ['line 7: key "paused" already set in map', 'line 14: key "imagePullPolicy" already set in map'];

type Send = (name: string, query: string) => Promise<Answer>;
const ask = (method: string, name: string, query: string, body: string, type: string) =>
  wire.ask(method, `${path}${name}?${query}`, { body, type });
const ofExisting =
  (method: string, body: (name: string) => string, type: string): Send =>
  async (name, query) => {
    await wire.expectCode(201, 'POST', path, { body: validJson(name) });
    return ask(method, `/${name}`, query, body(name), type);
  };
const ways: readonly {
  readonly name: string;
  readonly send: Send;
  readonly complaints: readonly string[];
  readonly code: number;
  readonly start: string;
}[] = [
  {
    name: 'post',
    send: (name, query) => ask('POST', '', query, invalidJson(name), contentType.json),
    complaints: typed,
    code: 400,
    start: 'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: ',
  },
  {
    name: 'post-yaml',
    send: (name, query) => ask('POST', '', query, invalidYaml(name), contentType.yaml),
    complaints: yaml,
    code: 400,
    start: 'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: yaml: unmarshal errors:\n  ',
  },
  { name: 'put', send: ofExisting('PUT', invalidJson, contentType.json), complaints: typed, code: 400, start: '' },
  { name: 'put-yaml', send: ofExisting('PUT', invalidYaml, contentType.yaml), complaints: yaml, code: 400, start: '' },
  { name: 'merge', send: ofExisting('PATCH', () => patchBody, contentType.merge), complaints: patched, code: 422, start: '' },
  { name: 'strategic', send: ofExisting('PATCH', () => patchBody, contentType.strategic), complaints: patched, code: 422, start: '' },
  {
    name: 'json-patch',
    send: ofExisting('PATCH', () => jsonPatchBody, contentType.jsonPatch),
    complaints: jsonPatched,
    code: 422,
    start: '',
  },
  {
    name: 'apply',
    send: (name, query) => ask('PATCH', `/${name}`, `fieldManager=mgr&${query}`, applyJson(name), contentType.apply),
    complaints: applied,
    code: 400,
    start: 'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ',
  },
];

/** The texts of the Warning headers. */
const warningsOf = ({ headers }: Answer): string[] =>
  [...String(headers['warning'] ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1'));

describe.each(ways)('field validation of $name', ({ name, send, complaints, code, start }) => {
  test('Strict refuses', async () => {
    const answer = await send(`${name}-strict`, 'fieldValidation=Strict');
    expect(answer.status).toBe(code);
    const { message } = answer.body;
    for (const complaint of complaints) expect(message).toContain(complaint);
    expect(message.startsWith(start)).toBe(true);
  });
  test.each(['fieldValidation=Warn', ''])('warns: %j', async (query) => {
    const answer = await send(`${name}-warn${query.length}`, query);
    expect([200, 201]).toContain(answer.status);
    expect(warningsOf(answer)).toEqual(complaints);
  });
  test('Ignore is silent', async () => {
    const answer = await send(`${name}-ignore`, 'fieldValidation=Ignore');
    expect([200, 201]).toContain(answer.status);
    expect(warningsOf(answer)).toEqual([]);
    expect(answer.body.spec.unknown1).toBeUndefined();
  });
});

describe('field validation', () => {
  test('in metadata, and in metadata of templates', async () => {
    const body = JSON.parse(validJson('meta'));
    body.metadata.unknownMeta = 'foo';
    body.spec.template.metadata.unknownSub = 'foo';
    const { message } = await wire.expectCode(400, 'POST', `${path}?fieldValidation=Strict`, { body });
    expect(message).toContain(
      'strict decoding error: unknown field "metadata.unknownMeta", unknown field "spec.template.metadata.unknownSub"',
    );
  });

  test('another directive', async () => {
    const status = await wire.expectCode(422, 'POST', `${path}?fieldValidation=Maybe`, { body: validJson('maybe') });
    expect(status.message).toBe(
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"',
    );
  });

  test('what a patch leaves alone is not complained of', async () => {
    await wire.expectCode(201, 'POST', path, { body: validJson('quiet') });
    const body = '{ "spec": { "paused": true, "paused": false } }';
    const answer = await wire.ask('PATCH', `${path}/quiet`, { body, type: contentType.merge });
    expect(warningsOf(answer)).toEqual(['duplicate field "spec.paused"']);
  });
});

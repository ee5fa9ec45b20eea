import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Any, contentType, podTemplateSpec, startWire, type Wire } from './wire.ts';

let wire: Wire;
let space: string;
beforeAll(async () => {
  wire = await startWire({ controllers: false, scheduler: false });
});
afterAll(() => wire?.[Symbol.asyncDispose]());

const labels = { app: 'nginx' };
const deployment = (name: string, spec: object = {}, container: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels },
  spec: { replicas: 3, selector: { matchLabels: labels }, template: podTemplateSpec(labels, container as Any), ...spec },
});
const configMap = (name: string, data?: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  ...(data === undefined ? {} : { data }),
});
const pathOf = ({ kind, metadata: { name } }: { kind: string; metadata: { name: string } }) =>
  kind === 'Deployment'
    ? `/apis/apps/v1/namespaces/${space}/deployments/${name}`
    : kind === 'Pod'
      ? `/api/v1/namespaces/${space}/pods/${name}`
      : `/api/v1/namespaces/${space}/configmaps/${name}`;
const apply = (code: number, object: Any, query = 'fieldManager=apply_test', part = '') =>
  wire.expectCode(code, 'PATCH', `${pathOf(object)}${part}?${query}`, { body: object, type: contentType.apply });
const merge = (object: Any, patch: object, query = '', part = '') =>
  wire.expectCode(200, 'PATCH', `${pathOf(object)}${part}?${query}`, { body: patch, type: contentType.merge });
const causes = (status: Any): string[] => status.details.causes.map(({ field }: Any) => field);

describe('server-side apply', () => {
  test('creates, with 201, then answers 200; what others apply alike is no conflict', async () => {
    space = await wire.namespace();
    const made = await apply(201, deployment('d'));
    expect(made.metadata.managedFields).toMatchObject([
      { manager: 'apply_test', operation: 'Apply', apiVersion: 'apps/v1', fieldsType: 'FieldsV1' },
    ]);
    const shared = await apply(200, deployment('d'), 'fieldManager=apply_test_2');
    expect(shared.metadata.managedFields).toHaveLength(2);
  });

  test('applying the same again writes nothing: neither version nor time moves', async () => {
    space = await wire.namespace();
    const made = await apply(201, deployment('d'));
    expect(await apply(200, deployment('d'))).toEqual(made);
    await wire.expectCode(201, 'POST', `/api/v1/namespaces/${space}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels }, spec: podTemplateSpec(labels)['spec'] };
    const created = await apply(201, pod);
    expect(await apply(200, pod)).toEqual(created);
  });

  test('the managed fields, exactly', async () => {
    space = await wire.namespace();
    const object = configMap('c', { key: 'value' }, { labels: { 'test-label': 'test' } });
    await apply(201, object);
    await merge(object, { data: { 'new-key': 'value' } }, 'fieldManager=updater');
    const changed = await merge(object, { data: { key: 'new value' } }, 'fieldManager=updater');
    const entry = { apiVersion: 'v1', fieldsType: 'FieldsV1', time: expect.any(String) };
    expect(changed.metadata.managedFields).toEqual([
      { ...entry, manager: 'apply_test', operation: 'Apply', fieldsV1: { 'f:metadata': { 'f:labels': { 'f:test-label': {} } } } },
      { ...entry, manager: 'updater', operation: 'Update', fieldsV1: { 'f:data': { 'f:key': {}, 'f:new-key': {} } } },
    ]);
  });

  test('a manager that owns nothing has no entry', async () => {
    space = await wire.namespace();
    await apply(201, configMap('c'));
    expect((await apply(200, configMap('c'))).metadata.managedFields).toBeUndefined();
  });

  test('a conflict names the field and its owner; force takes it', async () => {
    space = await wire.namespace();
    await apply(201, deployment('d'));
    await merge(deployment('d'), { spec: { replicas: 5 } }, 'fieldManager=scaler');
    const conflict = await apply(409, deployment('d'));
    expect(conflict).toMatchObject({
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "scaler" using apps/v1', field: '.spec.replicas' }] },
    });
    const forced = await apply(200, deployment('d'), 'fieldManager=apply_test&force=true');
    expect(forced.spec.replicas).toBe(3);
    expect(JSON.stringify(forced.metadata.managedFields)).not.toContain('scaler');
  });

  test('an updater that takes a field over keeps it when the applier lets go', async () => {
    space = await wire.namespace();
    await apply(201, deployment('d'), 'fieldManager=test_applier');
    await merge(deployment('d'), { spec: { replicas: 4 } });
    const { replicas: _, ...spec } = deployment('d').spec;
    const patched = await apply(200, { ...deployment('d'), spec }, 'fieldManager=test_applier');
    expect(patched.spec.replicas).toBe(4);
  });

  test('what the applier alone owned goes with its statement', async () => {
    space = await wire.namespace();
    await apply(201, deployment('d', {}, { ports: [{ containerPort: 80, protocol: 'TCP' }] }));
    const patched = await apply(200, deployment('d'));
    expect(patched.spec.template.spec.containers[0].ports).toBeUndefined();
    expect((await wire.expectCode(200, 'GET', pathOf(deployment('d')))).spec.template.spec.containers[0].ports).toBeUndefined();
  });

  test('an item of a list goes with its statement even when a controller wrote into it', async () => {
    space = await wire.namespace();
    const containers = [
      { name: 'nginx', image: 'a' },
      { name: 'other', image: 'b' },
    ];
    const two = deployment('d', { template: { metadata: { labels }, spec: { containers } } });
    await apply(201, two);
    const path = pathOf(two);
    const patch = { spec: { template: { spec: { containers: [{ name: 'other', workingDir: '/x' }] } } } };
    await wire.expectCode(200, 'PATCH', `${path}?fieldManager=controller`, { body: patch, type: contentType.strategic });
    const left = await apply(200, deployment('d', {}, { image: 'a' }));
    expect(left.spec.template.spec.containers.map(({ name }: Any) => name)).toEqual(['nginx']);
  });

  test('status and the rest have managers of their own', async () => {
    space = await wire.namespace();
    const object = deployment('d');
    await apply(201, object);
    const withStatus = {
      ...object,
      spec: undefined,
      metadata: { name: 'd' },
      status: { conditions: [{ type: 'MyStatus', status: 'True' }] },
    };
    const changed = await apply(200, withStatus, 'fieldManager=apply_test', '/status');
    expect(changed.status.conditions).toMatchObject([{ type: 'MyStatus', status: 'True' }]);
    expect(changed.spec.replicas).toBe(3);
    expect(changed.metadata.managedFields.map(({ manager, subresource }: Any) => [manager, subresource])).toEqual([
      ['apply_test', undefined],
      ['apply_test', 'status'],
    ]);
    // The status in what is applied to the main resource is not the applier's.
    const again = await apply(200, { ...object, status: { replicas: 99 } });
    expect(again.status.replicas).toBeUndefined();
    expect(JSON.stringify(again.metadata.managedFields[0])).not.toContain('f:status');
  });

  test('managed fields are reset by an empty list, and not taken from a body that leaves them out', async () => {
    space = await wire.namespace();
    const made = await apply(201, configMap('c', { a: 'b' }));
    const { managedFields, ...metadata } = made.metadata;
    const put = await wire.expectCode(200, 'PUT', pathOf(made), { body: { ...made, metadata } });
    expect(put.metadata.managedFields).toEqual(managedFields);
    const reset = await merge(made, { metadata: { managedFields: [{}] } });
    expect(reset.metadata.managedFields ?? []).toEqual([]);
    const taken = await apply(200, configMap('c', { a: 'c' }), 'fieldManager=new&force=true');
    expect(taken.metadata.managedFields.map(({ manager }: Any) => manager)).toEqual(['new', 'before-first-apply']);
    expect(taken.data).toEqual({ a: 'c' });
  });

  const refused = [
    {
      name: 'no version',
      code: 400,
      object: { ...configMap('x'), apiVersion: undefined },
      message: 'Specified patch version: , expected: v1',
    },
    {
      name: 'another kind',
      code: 400,
      object: { ...configMap('x'), kind: 'Secret' },
      message: 'Specified patch kind: Secret, expected: ConfigMap',
    },
    {
      name: 'no manager',
      code: 422,
      query: '',
      object: configMap('x'),
      message: 'fieldManager: Required value: is required for apply patch',
    },
    {
      name: 'another version',
      code: 400,
      object: { ...configMap('x'), apiVersion: 'v2' },
      message: 'Incorrect version specified in apply patch',
    },
    {
      name: 'managed fields',
      code: 400,
      object: configMap('x', {}, { managedFields: [{ manager: 'm' }] }),
      message: 'metadata.managedFields must be nil',
    },
    {
      name: 'a uid without an object',
      code: 409,
      object: configMap('x', {}, { uid: '88e00824' }),
      message: 'uid mismatch: the provided object specified uid 88e00824, and no existing object was found',
    },
    { name: 'an unknown field', code: 500, object: { ...configMap('x'), bogus: 1 }, message: '.bogus: field not declared in schema' },
    {
      name: 'force with another patch',
      code: 422,
      query: 'force=true',
      type: contentType.merge,
      object: configMap('x'),
      message: 'force: Forbidden: may not be specified for non-apply patch',
    },
    {
      name: 'a duplicate item',
      code: 500,
      object: deployment('x', {
        template: {
          metadata: { labels },
          spec: {
            containers: [
              { name: 'a', image: 'i' },
              { name: 'a', image: 'i' },
            ],
          },
        },
      }),
      message: '.spec.template.spec.containers: duplicate entries for key [name="a"]',
    },
  ];
  test.each(refused)('refused: $name', async ({ code, query = 'fieldManager=m', object, message, type = contentType.apply }) => {
    space = await wire.namespace();
    const status = await wire.expectCode(code, 'PATCH', `${pathOf(object as Any)}?${query}`, { body: object, type });
    expect(status.message).toContain(message);
  });

  test('YAML, and a dry run that leaves nothing behind', async () => {
    space = await wire.namespace();
    const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n';
    const path = pathOf(configMap('yaml'));
    const dry = await wire.expectCode(201, 'PATCH', `${path}?fieldManager=m&dryRun=All`, { body, type: contentType.apply });
    expect(dry.data).toEqual({ a: '1' });
    await wire.expectCode(404, 'GET', path);
    await wire.expectCode(201, 'PATCH', `${path}?fieldManager=m`, { body, type: contentType.apply });
    const dryChange = await apply(200, configMap('yaml', { a: '2' }), 'fieldManager=m&dryRun=All');
    expect(dryChange.data).toEqual({ a: '2' });
    expect((await wire.expectCode(200, 'GET', path)).data).toEqual({ a: '1' });
  });

  test('objects near the size limit are created, updated and patched with their managed fields', async () => {
    space = await wire.namespace();
    const data = Object.fromEntries(
      Array.from({ length: 9999 }, (_, i) => [`this-key-is-very-long-so-as-to-create-a-very-large-serialized-fieldset-${i}`, 'A']),
    );
    const path = `/api/v1/namespaces/${space}/configmaps`;
    const made = await wire.expectCode(201, 'POST', path, { body: configMap('large', data) });
    await wire.expectCode(200, 'PUT', `${path}/large`, { body: { ...made, data: { ...made.data, more: 'B' } } });
    await wire.expectCode(201, 'POST', path, { body: configMap('small', { k: 'v' }) });
    const patched = await merge(configMap('small'), { data });
    expect(Object.keys(patched.data)).toHaveLength(10_000);
  });

  test('several conflicts are told by owner', async () => {
    space = await wire.namespace();
    await apply(201, deployment('d'), 'fieldManager=one');
    await merge(deployment('d'), { spec: { replicas: 5, paused: true } }, 'fieldManager=two');
    const status = await apply(409, deployment('d', { replicas: 7, paused: false }, { image: 'other' }), 'fieldManager=three');
    expect(causes(status).sort()).toEqual(['.spec.paused', '.spec.replicas', '.spec.template.spec.containers[name="nginx"].image']);
  });
});

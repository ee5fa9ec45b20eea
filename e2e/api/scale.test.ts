import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accept, contentType, podTemplateSpec, startWire, type Wire } from './wire.ts';

let wire: Wire;
beforeAll(async () => {
  wire = await startWire({ controllers: false, scheduler: false });
});
afterAll(() => wire?.[Symbol.asyncDispose]());

const labels = { app: 'nginx' };
const kinds = [
  { group: 'apis/apps/v1', resource: 'deployments', selector: { matchLabels: labels } },
  { group: 'apis/apps/v1', resource: 'replicasets', selector: { matchLabels: labels } },
  { group: 'api/v1', resource: 'replicationcontrollers', selector: labels },
] as const;

describe.each(kinds)('/scale of $resource', ({ group, resource, selector }) => {
  const make = async (): Promise<string> => {
    const path = `/${group}/namespaces/${await wire.namespace()}/${resource}`;
    await wire.expectCode(201, 'POST', path, {
      body: { metadata: { name: 'web', labels }, spec: { replicas: 1, selector, template: podTemplateSpec(labels) } },
    });
    return `${path}/web`;
  };
  const replicas = async (path: string) => (await wire.expectCode(200, 'GET', path)).spec.replicas;

  test('get, put and the patches', async () => {
    const path = await make();
    const scale = await wire.expectCode(200, 'GET', `${path}/scale`);
    expect(scale).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'web', resourceVersion: expect.any(String), uid: expect.any(String), creationTimestamp: expect.any(String) },
      spec: { replicas: 1 },
      status: { replicas: 0, selector: 'app=nginx' },
    });
    const put = await wire.expectCode(200, 'PUT', `${path}/scale`, { body: { ...scale, spec: { replicas: 2 } } });
    expect(put.spec).toEqual({ replicas: 2 });
    expect(put.metadata.resourceVersion).not.toBe(scale.metadata.resourceVersion);
    await wire.expectCode(409, 'PUT', `${path}/scale`, { body: { ...scale, spec: { replicas: 3 } } });
    await wire.expectCode(200, 'PATCH', `${path}/scale`, { body: { spec: { replicas: 4 } }, type: contentType.merge });
    expect(await replicas(path)).toBe(4);
    await wire.expectCode(200, 'PATCH', `${path}/scale`, { body: { spec: { replicas: 5 } }, type: contentType.strategic });
    const operation = { op: 'replace', path: '/spec/replicas', value: 6 };
    await wire.expectCode(200, 'PATCH', `${path}/scale`, { body: [operation], type: contentType.jsonPatch });
    expect(await replicas(path)).toBe(6);
    const proto = await wire.ask('GET', `${path}/scale`, { accept: accept.protobuf });
    expect(proto.headers['content-type']).toBe(contentType.protobuf);
  });

  test('server-side apply: owned under the subresource, in conflict with other owners until forced', async () => {
    const path = await make();
    const apply = (count: number, query: string, code: number) =>
      wire.expectCode(code, 'PATCH', `${path}/scale?${query}`, {
        body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web' }, spec: { replicas: count } },
        type: contentType.apply,
      });
    const conflict = await apply(3, 'fieldManager=scaler', 409);
    expect(conflict).toMatchObject({
      reason: 'Conflict',
      details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.replicas' }] },
    });
    expect((await apply(3, 'fieldManager=scaler&force=true', 200)).spec.replicas).toBe(3);
    const parent = await wire.expectCode(200, 'GET', path);
    expect(parent.spec.replicas).toBe(3);
    expect(parent.metadata.managedFields).toContainEqual(
      expect.objectContaining({
        manager: 'scaler',
        operation: 'Apply',
        subresource: 'scale',
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
      }),
    );
    const others = parent.metadata.managedFields.filter((entry: { manager: string }) => entry.manager !== 'scaler');
    expect(JSON.stringify(others)).not.toContain('f:replicas');
    await wire.expectCode(404, 'PATCH', `${path}x/scale?fieldManager=scaler`, {
      body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'webx' }, spec: { replicas: 1 } },
      type: contentType.apply,
    });
    const other = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 1 } };
    const refused = await wire.expectCode(400, 'PATCH', `${path}/scale?fieldManager=scaler`, { body: other, type: contentType.apply });
    expect(refused.message).toContain('Incorrect version specified in apply patch');
  });
});

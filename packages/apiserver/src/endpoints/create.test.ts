import type { Random } from '@orrery/base';
import { newSeededRandom } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import type { AdmissionPlugin } from '../admission.ts';
import { configMaps, deployment, deployments, named, namespaces, startApi } from './test-api.ts';

describe('create', () => {
  test('uid, time, generation, version and an empty status are the server’s', async () => {
    const api = startApi();
    const body = deployment('x');
    const made = await api.object('create', deployments, {
      body: {
        ...body,
        metadata: { name: 'x', uid: 'mine', generation: 9, creationTimestamp: '2001-01-01T00:00:00Z', selfLink: '/x' },
        status: { replicas: 4 },
      },
    });
    expect(made.metadata).toMatchObject({
      name: 'x',
      namespace: 'a',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      resourceVersion: '2',
    });
    expect(made.metadata.uid).toMatch(/^[0-9a-f]{8}-/);
    expect(made.metadata.selfLink).toBeUndefined();
    expect(made['status']).toEqual({});
    expect(made['spec']).toMatchObject({ replicas: 1 });
    expect(made.kind).toBe('Deployment');
    expect(made.apiVersion).toBe('apps/v1');
  });

  test('answers 201, and the store holds JSON without resourceVersion at upstream’s key', async () => {
    const api = startApi();
    const result = await api.call('create', configMaps, { body: named('x', { data: { k: 'v' } }) });
    expect(result).toMatchObject({ type: 'object', code: 201 });
    const stored = await api.store.get('/registry/configmaps/a/x');
    const text = Buffer.from(stored?.value ?? []).toString();
    expect(text).toMatch(/^\{"kind":"ConfigMap","apiVersion":"v1","metadata":\{/);
    expect(text).not.toContain('resourceVersion');
  });

  test('what is answered, read and listed is one object, and its bytes say the same', async () => {
    const api = startApi();
    const result = await api.call('create', configMaps, { body: named('x') });
    const got = await api.call('get', configMaps, { name: 'x' });
    const { items } = await api.list(configMaps);
    if (result.type !== 'object' || got.type !== 'object') throw new Error('objects expected');
    expect(got.item).toBe(result.item);
    expect(items[0]).toBe(result.item);
    expect(JSON.parse(result.item.json.toString())).toEqual(result.item.object);
  });

  test.each([
    [
      'another namespace in the object',
      { metadata: { name: 'x', namespace: 'b' } },
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    ['no name at all', { metadata: {} }, 422, 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'],
    [
      'a resourceVersion',
      { metadata: { name: 'x', resourceVersion: '5' } },
      400,
      'resourceVersion should not be set on objects to be created',
    ],
    [
      'another version',
      { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'x' } },
      400,
      'the API version in the data (v2) does not match the expected API version (v1)',
    ],
    [
      'another kind',
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } },
      400,
      'Pod in version "v1" cannot be handled as a ConfigMap',
    ],
    ['no object', [1], 400, 'the body must be a JSON object'],
    [
      'a value of the wrong type',
      { metadata: { name: 'x' }, data: { k: 1 } },
      400,
      'cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
  ])('%s is refused', async (_name, body, code, message) => {
    const error = await startApi().error('create', configMaps, { body });
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  test('a taken name is 409 AlreadyExists', async () => {
    const api = startApi();
    await api.call('create', deployments, { body: deployment('x') });
    const error = await api.error('create', deployments, { body: deployment('x') });
    expect(error.toStatus()).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'deployments.apps "x" already exists',
      details: { name: 'x', group: 'apps', kind: 'deployments' },
    });
  });

  test('validation refuses with all causes', async () => {
    const error = await startApi().error('create', deployments, { body: deployment('X', { replicas: 101 }) });
    expect(error.code).toBe(422);
    expect(error.details?.causes?.map(({ field }) => field)).toEqual(['metadata.name', 'spec.replicas']);
    expect(error.message).toMatch(/^Deployment\.apps "X" is invalid: \[metadata\.name: /);
  });

  test('a cluster-scoped object loses its namespace', async () => {
    const made = await startApi().object('create', namespaces, { body: { metadata: { name: 'x', namespace: 'y' } } });
    expect(made.metadata.namespace).toBeUndefined();
    expect(made.metadata.generation).toBeUndefined();
  });

  test('the namespace may come from the object where the request has none', async () => {
    const made = await startApi().object('create', configMaps, { namespace: undefined, body: { metadata: { name: 'x', namespace: 'b' } } });
    expect(made.metadata.namespace).toBe('b');
  });
});

describe('generateName', () => {
  test('gets five characters more', async () => {
    const made = await startApi().object('create', configMaps, { body: { metadata: { generateName: 'x-' } } });
    expect(made.metadata.name).toMatch(/^x-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  test('a long prefix is cut to 58 characters', async () => {
    const made = await startApi().object('create', configMaps, { body: { metadata: { generateName: 'x'.repeat(70) } } });
    expect(made.metadata.name).toHaveLength(63);
  });

  test('is tried again when the name is taken', async () => {
    const api = startApi({ random: repeating([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]) });
    await api.call('create', configMaps, { body: { metadata: { generateName: 'x-' } } });
    const second = await api.object('create', configMaps, { body: { metadata: { generateName: 'x-' } } });
    expect(second.metadata.name).toBe('x-ccccc');
  });

  test('is 409 with a hint to retry after eight tries', async () => {
    const api = startApi({ random: repeating([0]) });
    await api.call('create', configMaps, { body: { metadata: { generateName: 'x-' } } });
    const error = await api.error('create', configMaps, { body: { metadata: { generateName: 'x-' } } });
    expect(error.toStatus()).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "x-bbbbb" already exists, the server was not able to generate a unique name for the object',
      details: { retryAfterSeconds: 1 },
    });
  });
});

/** Integers from a list, over and over. */
function repeating(integers: readonly number[]): Random {
  let at = 0;
  return { ...newSeededRandom(1), integer: () => integers[at++ % integers.length] ?? 0 };
}

describe('dry run', () => {
  test('shows the object, writes nothing', async () => {
    const api = startApi();
    const made = await api.object('create', configMaps, { body: named('x'), options: { dryRun: true } });
    expect(made.metadata.uid).not.toBe('');
    expect(made.metadata.resourceVersion).toBeUndefined();
    expect((await api.error('get', configMaps, { name: 'x' })).code).toBe(404);
    expect(api.store.revision).toBe(1);
  });

  test('sees that a name is taken', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    expect((await api.error('create', configMaps, { body: named('x'), options: { dryRun: true } })).code).toBe(409);
  });
});

describe('field validation', () => {
  const body = { metadata: { name: 'x' }, data: {}, dota: {} };

  test.each([undefined, 'Warn'] as const)('%s warns of unknown and duplicate fields', async (fieldValidation) => {
    const result = await startApi().call('create', configMaps, {
      body,
      duplicates: ['duplicate field "data"'],
      options: { fieldValidation },
    });
    expect(result).toMatchObject({ warnings: ['duplicate field "data"', 'unknown field "dota"'] });
  });

  test('Ignore says nothing and drops the field', async () => {
    const result = await startApi().call('create', configMaps, { body, options: { fieldValidation: 'Ignore' } });
    expect(result).toMatchObject({ warnings: [] });
    expect(result.type === 'object' && result.item.object).not.toHaveProperty('dota');
  });

  test('Strict refuses', async () => {
    const error = await startApi().error('create', configMaps, { body, options: { fieldValidation: 'Strict' } });
    expect(error.code).toBe(400);
    expect(error.message).toBe('ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dota"');
  });
});

describe('warnings and options', () => {
  test('the strategy’s warnings are handed on', async () => {
    expect(await startApi().call('create', deployments, { body: deployment('x', { replicas: 13 }) })).toMatchObject({
      warnings: ['spec.replicas: 13 brings bad luck'],
    });
  });

  test('a field manager of over 128 bytes is refused', async () => {
    const error = await startApi().error('create', configMaps, { body: named('x'), options: { fieldManager: 'x'.repeat(129) } });
    expect(error.code).toBe(422);
    expect(error.message).toContain('CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long');
  });
});

describe('admission', () => {
  test('plugins change before validation and judge after it, in order', async () => {
    const seen: string[] = [];
    const plugin = (name: string): AdmissionPlugin => ({
      name,
      admit(draft, { operation, namespace }) {
        seen.push(`${name} admits ${operation} in ${namespace}`);
        if (draft !== undefined) draft.metadata.labels = { ...draft.metadata.labels, [name]: 'yes' };
      },
      validate(object) {
        seen.push(`${name} judges ${object?.metadata.name} ${Object.keys(object?.metadata.labels ?? {}).join()}`);
      },
    });
    const api = startApi({ admission: [plugin('one'), plugin('two')] });
    const made = await api.object('create', configMaps, { body: named('x') });
    expect(made.metadata.labels).toEqual({ one: 'yes', two: 'yes' });
    expect(seen).toEqual(['one admits CREATE in a', 'two admits CREATE in a', 'one judges x one,two', 'two judges x one,two']);
  });

  test('an unexpected error becomes 500, logged once', async () => {
    const logged: string[] = [];
    const log = { error: (text: string) => logged.push(text), warn() {}, info() {}, debug() {}, with: () => log, enabled: () => true };
    const broken: AdmissionPlugin = {
      name: 'Broken',
      validate() {
        throw new TypeError('oops');
      },
    };
    const error = await startApi({ admission: [broken], log }).error('create', configMaps, { body: named('x') });
    expect(error.toStatus()).toMatchObject({ code: 500, reason: 'InternalError', message: 'Internal error occurred: oops' });
    expect(logged).toHaveLength(1);
  });
});

import { ingressClasses, ingresses } from '@orrery/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ admission: {} });
});
afterAll(() => api.close());

const defaultBackend = { service: { name: 'web', port: { number: 80 } } };
const create = (name: string, spec: object = {}, annotations: Readonly<Record<string, string>> = {}) =>
  api.client.create(ingresses, { metadata: { namespace: 'default', name, annotations }, spec: { defaultBackend, ...spec } });

test('the default class is for Ingresses without one', async () => {
  expect((await create('before')).spec.ingressClassName).toBeUndefined();
  await api.client.create(ingressClasses, {
    metadata: { name: 'usual', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    spec: { controller: 'example.com/usual' },
  });
  expect((await create('none')).spec.ingressClassName).toBe('usual');
  expect((await create('own', { ingressClassName: 'own' })).spec.ingressClassName).toBe('own');
  expect((await create('old', {}, { 'kubernetes.io/ingress.class': 'old' })).spec.ingressClassName).toBeUndefined();
});

test.each([
  ['no backend', { defaultBackend: undefined }, 'either `defaultBackend` or `rules` must be specified'],
  ['an address as host', { rules: [{ host: '10.0.0.1' }] }, 'must be a DNS name, not an IP address'],
  ['a path without a type', { rules: [{ http: { paths: [{ backend: defaultBackend }] } }] }, 'pathType must be specified'],
  [
    'a path that climbs',
    { rules: [{ http: { paths: [{ path: '/a/../b', pathType: 'Exact', backend: defaultBackend }] } }] },
    "must not contain '/../'",
  ],
  ['a backend without a port', { defaultBackend: { service: { name: 'web' } } }, 'port name or number is required'],
])('refused: %s', async (name, spec, message) => {
  await expect(create(`bad-${name.length}`, spec)).rejects.toThrow(message);
});

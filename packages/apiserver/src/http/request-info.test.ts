import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLongRunning, requestInfoOf } from './request-info.ts';
import { parseRequestTarget } from './request-target.ts';

const infoOf = (method: string, url: string) => {
  const { path, query } = parseRequestTarget(url);
  return requestInfoOf(method, path, query);
};

describe('resources', () => {
  const cases = [
    ['GET', '/api/v1/namespaces', { verb: 'list', resource: 'namespaces', namespace: '', name: '' }],
    ['GET', '/api/v1/namespaces/a', { verb: 'get', resource: 'namespaces', namespace: 'a', name: 'a' }],
    ['PUT', '/api/v1/namespaces/a/status', { verb: 'update', resource: 'namespaces', name: 'a', subresource: 'status' }],
    ['PUT', '/api/v1/namespaces/a/finalize', { verb: 'update', resource: 'namespaces', name: 'a', subresource: 'finalize' }],
    ['GET', '/api/v1/namespaces/a/pods', { verb: 'list', resource: 'pods', namespace: 'a' }],
    ['GET', '/api/v1/namespaces/a/pods/', { verb: 'list', resource: 'pods', namespace: 'a' }],
    ['HEAD', '/api/v1/namespaces/a/pods/b', { verb: 'get', name: 'b' }],
    ['GET', '/api/v1/namespaces/a/pods/b/log', { verb: 'get', name: 'b', subresource: 'log' }],
    ['GET', '/api/v1/namespaces/a/pods/b/proxy/x/y', { subresource: 'proxy', parts: ['pods', 'b', 'proxy', 'x', 'y'] }],
    ['POST', '/apis/apps/v1/namespaces/a/deployments', { verb: 'create', group: 'apps', version: 'v1', resource: 'deployments' }],
    ['PATCH', '/apis/apps/v1/namespaces/a/deployments/b/scale', { verb: 'patch', subresource: 'scale' }],
    ['DELETE', '/api/v1/namespaces/a/pods', { verb: 'deletecollection' }],
    ['DELETE', '/api/v1/namespaces/a/pods/b', { verb: 'delete' }],
    ['GET', '/api/v1/pods?watch', { verb: 'watch' }],
    ['GET', '/api/v1/pods?watch=true', { verb: 'watch' }],
    ['GET', '/api/v1/pods?watch=banana', { verb: 'watch' }],
    ['GET', '/api/v1/pods?watch=FALSE', { verb: 'list' }],
    ['GET', '/api/v1/pods?watch=0', { verb: 'list' }],
    ['GET', '/api/v1/namespaces/a/pods/b?watch=1', { verb: 'get' }],
    ['GET', '/api/v1/watch/pods', { verb: 'watch', resource: 'pods', watchPrefix: true }],
    ['GET', '/api/v1/watch/namespaces/a/pods/b', { verb: 'watch', namespace: 'a', name: 'b', watchPrefix: true }],
    ['GET', '/api/v1/proxy/pods/b', { verb: 'proxy', resource: 'pods', name: 'b' }],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Dx', { verb: 'list', selectedName: 'x' }],
    ['GET', '/api/v1/pods?watch=1&fieldSelector=spec.a%3Db,metadata.name==x', { verb: 'watch', selectedName: 'x' }],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name!%3Dx', { selectedName: '' }],
    ['OPTIONS', '/api/v1/pods', { verb: '' }],
  ] as const;
  for (const [method, url, want] of cases) {
    test(`${method} ${url}`, () => expect(infoOf(method, url)).toMatchObject({ type: 'resource', ...want }));
  }
});

describe('paths', () => {
  for (const url of [
    '/',
    '/api',
    '/api/v1',
    '/apis',
    '/apis/apps',
    '/apis/apps/v1',
    '/healthz',
    '/healthz/x/y',
    '/version',
    '/openapi/v3/api/v1',
  ]) {
    test(url, () => expect(infoOf('GET', url)).toEqual({ type: 'path', verb: 'get', path: url }));
  }
});

test('a watch prefix that leads nowhere is refused', () => {
  expect(() => infoOf('GET', '/api/v1/watch')).toThrow('unable to determine kind and namespace from url, /api/v1/watch');
});

test('long requests', () => {
  const long = ['/api/v1/pods?watch=1', '/api/v1/namespaces/a/pods/b/log', '/api/v1/namespaces/a/pods/b/exec', '/api/v1/nodes/n/proxy/x'];
  expect(long.map((url) => isLongRunning(infoOf('GET', url)))).toEqual([true, true, true, true]);
  expect(['/api/v1/pods', '/version'].map((url) => isLongRunning(infoOf('GET', url)))).toEqual([false, false]);
});

test('targets: escapes, absolute forms, and what is no path', () => {
  expect(parseRequestTarget('/a%20b?c=%2F#d')).toMatchObject({ path: '/a b', rawPath: '/a%20b', rawQuery: 'c=%2F' });
  expect(parseRequestTarget('https://host:1/a?b')).toMatchObject({ path: '/a', rawQuery: 'b' });
  for (const target of ['/%', '/%zz', '/%ff', '*', 'host:443']) expect(() => parseRequestTarget(target)).toThrow();
});

test('any target is either read or refused with a Status', () => {
  fc.assert(
    fc.property(fc.constantFrom('GET', 'POST', 'DELETE', 'BREW'), fc.string({ unit: 'grapheme' }), (method, text) => {
      try {
        infoOf(method, `/api/v1/${text}`);
      } catch (error) {
        expect(error).toMatchObject({ name: 'StatusError', code: 400 });
      }
    }),
  );
});

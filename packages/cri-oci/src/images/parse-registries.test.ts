import { expect, test } from 'vitest';
import { parseRegistries } from './parse-registries.ts';

test('reads mirrors, rewrites, credentials and TLS', () => {
  const { registries, problems } = parseRegistries({
    mirrors: {
      'docker.io': { endpoint: ['http://127.0.0.1:5000', 'mirror.example/v2'], rewrite: { '^library/(.*)': 'hub/$1' } },
      '*': { endpoint: ['https://m'] },
    },
    configs: {
      'mirror.example': {
        auth: { username: 'u', password: 'p' },
        tls: { ca_file: '/ca', insecure_skip_verify: true },
        stall_timeout_seconds: 90,
      },
    },
  });
  expect(problems).toEqual([]);
  expect(registries.mirrors.get('docker.io')?.endpoints.map(String)).toEqual(['http://127.0.0.1:5000/', 'https://mirror.example/']);
  expect(registries.configs.get('mirror.example')).toEqual({
    auth: { username: 'u', password: 'p' },
    tls: { caFile: '/ca', insecureSkipVerify: true },
    stallTimeoutMs: 90_000,
  });
});

test.each<[unknown, string]>([
  [[], ''],
  [{ mirror: {} }, 'mirror'],
  [{ mirrors: { a: { endpoint: ['ftp://x'] } } }, 'mirrors[a].endpoint[0]'],
  [{ mirrors: { a: { endpoint: 'x' } } }, 'mirrors[a].endpoint'],
  [{ mirrors: { a: { rewrite: { '(': 'x' } } } }, 'mirrors[a].rewrite[(]'],
  [{ configs: { a: { tls: { insecure_skip_verify: 'yes' } } } }, 'configs[a].tls.insecure_skip_verify'],
  [{ configs: { a: { stall_timeout_seconds: '9s' } } }, 'configs[a].stall_timeout_seconds'],
  [{ configs: { a: { stall_timeout_seconds: 0 } } }, 'configs[a].stall_timeout_seconds'],
  [{ configs: { a: { auth: { username: 1 } } } }, 'configs[a].auth.username'],
])('%j: a problem at %s', (document, path) => {
  expect(parseRegistries(document).problems.map((problem) => problem.path)).toEqual([path]);
});

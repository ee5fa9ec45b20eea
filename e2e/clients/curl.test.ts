import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, run, startTestCluster, type TestCluster } from '../support/cluster.ts';
import { accessOf } from '../support/https.ts';

const why = spawnSync('curl', ['--version']).status === 0 ? '' : ' (skipped: there is no curl)';

describe.skipIf(why !== '')(`curl with the administrator's certificate${why}`, () => {
  let cluster: TestCluster;
  let url: string;
  let folder: string;
  beforeAll(async () => {
    cluster = await startTestCluster();
    const access = accessOf(cluster.kubeconfig);
    url = access.url;
    folder = join(cluster.home, 'certificates');
    await mkdir(folder);
    for (const name of ['ca', 'cert', 'key'] as const) await writeFile(join(folder, name), access[name], { mode: 0o600 });
  });
  afterAll(() => cluster.dispose());

  const curl = (path: string, ...args: string[]): Promise<Finished> =>
    run('curl', ['--silent', '--show-error', '--max-time', '20', '--cacert', join(folder, 'ca'), ...args, `${url}${path}`]);
  const asAdmin = (path: string, ...args: string[]): Promise<Finished> =>
    curl(path, '--cert', join(folder, 'cert'), '--key', join(folder, 'key'), ...args);

  for (const version of ['--http1.1', '--http2']) {
    test(`${version}: create, read, delete`, async () => {
      const paths = '/api/v1/namespaces/default/configmaps';
      const data = JSON.stringify({ metadata: { name: 'curled' }, data: { a: 'b' } });
      const made = await asAdmin(
        paths,
        version,
        '-H',
        'content-type: application/json',
        '-d',
        data,
        '-w',
        '\n%{http_code} %{http_version}',
      );
      expect(made.stdout).toMatch(version === '--http2' ? /\n201 2$/ : /\n201 1\.1$/);
      expect(JSON.parse((await asAdmin(`${paths}/curled`, version)).stdout)).toMatchObject({ kind: 'ConfigMap', data: { a: 'b' } });
      expect(JSON.parse((await asAdmin(`${paths}/curled`, version, '-X', 'DELETE')).stdout)).toMatchObject({ status: 'Success' });
    });
  }
  test('YAML, tables, OpenAPI, a watch that ends', async () => {
    expect((await asAdmin('/api/v1/namespaces/default', '-H', 'accept: application/yaml')).stdout).toContain('kind: Namespace\n');
    const table = await asAdmin('/api/v1/nodes', '-H', 'accept: application/json;as=Table;v=v1;g=meta.k8s.io');
    expect(JSON.parse(table.stdout)).toMatchObject({
      kind: 'Table',
      columnDefinitions: [{ name: 'Name' }, { name: 'Status' }, {}, {}, {}, {}, {}, {}, {}, {}],
    });
    expect(JSON.parse((await asAdmin('/openapi/v3', '--compressed')).stdout)).toHaveProperty(['paths', 'api/v1']);
    const watch = await asAdmin('/api/v1/namespaces?watch=1&timeoutSeconds=1');
    expect(watch.stdout.trim().split('\n').length).toBeGreaterThanOrEqual(4);
  });
  test('without a certificate: health and version, nothing else', async () => {
    expect((await curl('/readyz')).stdout).toBe('ok');
    expect(JSON.parse((await curl('/version')).stdout)).toMatchObject({ major: '1', minor: '36' });
    expect(JSON.parse((await curl('/api/v1/secrets')).stdout)).toMatchObject({ kind: 'Status', code: 401 });
  });
});

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { issueCertificate, newCertificateAuthority } from '@orrery/component';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../tools/generate/source.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { launchProgram, objectsIn, urlOf } from './launcher.ts';

const minutes = { timeout: 180_000 };

describe('examples', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster.dispose());

  test('hello-tls: the certificate travels as a Secret; whoever trusts its authority is answered', minutes, async () => {
    const context = { nowMs: Date.now(), serial: () => randomBytes(16) };
    const authority = await newCertificateAuthority('authority of the test', context);
    const { cert, key } = await issueCertificate(authority, { commonName: 'hello-tls', usage: 'server', dnsNames: ['localhost'] }, context);
    const [certFile, keyFile] = [join(cluster.home, 'tls.crt'), join(cluster.home, 'tls.key')];
    await writeFile(certFile, cert);
    await writeFile(keyFile, key, { mode: 0o600 });
    const namespace = `tls-${Date.now().toString(36)}`;
    await cluster.kubectl(['create', 'namespace', namespace]);
    await eventually(() => cluster.kubectl(['get', 'serviceaccount', 'default', '-n', namespace]));
    const args = ['--kubernetes', `--namespace=${namespace}`, '--port=0:8443', `--tls-cert=${certFile}`, `--tls-key=${keyFile}`];
    const launcher = launchProgram(cluster, join(root, 'examples/hello-tls/app.js'), args);
    const url = await urlOf(launcher);
    expect(url).toMatch(/^https:/);
    expect(await askTrusting(url, authority.cert)).toBe('Hello over TLSv1.3!\n');
    expect(await cluster.kubectl(['get', 'secrets', '-n', namespace, '-o', 'jsonpath={.items[*].type}'])).toBe('kubernetes.io/tls');
    launcher.child.kill('SIGINT');
    expect(await launcher.ended).toBe(130);
    expect(await objectsIn(cluster, namespace)).toEqual([]);
  });
});

function askTrusting(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, ca, timeout: 15_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve(text)).once('error', reject);
    });
    request.once('timeout', () => request.destroy(new Error(`${url} does not answer`))).once('error', reject);
  });
}

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateSigningRequests, configMaps, leases, nodes, pods, secrets } from '@orrery/api';
import { isForbidden, type KubeObject, StatusError } from '@orrery/apimachinery';
import { realClock, systemRandom } from '@orrery/base';
import { type Client, newClient, newHttpsTransport, waitFor } from '@orrery/client';
import { bootstrapNode, caHashOf, type NodeCredentials } from '@orrery/kubelet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from './test-cluster.ts';

const token = 'abcdef.0123456789abcdef';
const never = new AbortController().signal;
let cluster: TestCluster;
let directory: string;
let ca: string;

beforeAll(async () => {
  cluster = await startCluster({ https: true, scheduler: false });
  await cluster.cluster.apiserver.rulesReady;
  directory = await mkdtemp(join(tmpdir(), 'orrery-join-'));
  ca = Buffer.from(cluster.kubeconfig?.clusters[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString();
  await addToken();
});
afterAll(async () => {
  await cluster.dispose();
  await rm(directory, { recursive: true, force: true });
});

async function addToken(): Promise<void> {
  await cluster.client.create(secrets, {
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
    },
  });
  const key = { namespace: 'kube-public', name: 'cluster-info' };
  await waitFor(cluster.client, configMaps, key, (map) => map?.data?.['jws-kubeconfig-abcdef'] !== undefined, {
    clock: realClock,
    timeoutMs: 30_000,
  });
}

const joinAs = (nodeName: string, more: object = {}): Promise<NodeCredentials> =>
  bootstrapNode({
    server: cluster.url ?? '',
    token,
    caHash: caHashOf(ca),
    nodeName,
    directory: join(directory, nodeName),
    addresses: ['10.9.9.9'],
    clock: realClock,
    random: systemRandom,
    signal: never,
    ...more,
  });

const forbiddenText = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.catch((cause: unknown) => cause);
  expect(isForbidden(error)).toBe(true);
  return error instanceof StatusError || error instanceof Error ? error.message : '';
};

describe('a machine that joins', () => {
  let node: NodeCredentials;
  let client: Client;
  beforeAll(async () => {
    node = await joinAs('n1');
    client = newClient(node.transport);
  });
  afterAll(() => node.transport.close());

  test('has certificates of its own, in files for its owner alone', async () => {
    const serving = new X509Certificate(node.serving.cert);
    expect(serving.verify(new X509Certificate(ca).publicKey)).toBe(true);
    expect(serving.checkPrivateKey(createPrivateKey(node.serving.key))).toBe(true);
    expect([serving.checkHost('n1'), serving.checkIP('10.9.9.9')]).toEqual(['n1', '10.9.9.9']);
    const file = join(directory, 'n1', 'kubelet-client.pem');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(new X509Certificate(await readFile(file)).subject).toContain('CN=system:node:n1');
  });

  test('may be itself, and no other', async () => {
    await client.create(nodes, { metadata: { name: 'n1' }, spec: {} } as Parameters<typeof client.create<KubeObject>>[1] as never);
    const lease = (name: string) => ({ metadata: { name, namespace: 'kube-node-lease' }, spec: { holderIdentity: name } }) as never;
    await client.create(leases, lease('n1'));
    expect(await forbiddenText(client.create(leases, lease('n2')))).toContain(
      'can only access node lease with the same name as the requesting node',
    );
    expect(await forbiddenText(client.create(nodes, { metadata: { name: 'n2' }, spec: {} } as never))).toContain(
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    );
  });

  test('reads what its pods use, and nothing else', async () => {
    const admin = cluster.client;
    for (const name of ['used', 'other']) await admin.create(secrets, { metadata: { name, namespace: 'default' }, data: {} } as never);
    const volumes = [{ name: 'v', secret: { secretName: 'used' } }];
    const spec = { nodeName: 'n1', containers: [{ name: 'a', image: 'b' }], volumes };
    await admin.create(pods, { metadata: { name: 'p', namespace: 'default' }, spec } as never);
    expect((await client.get(secrets, { namespace: 'default', name: 'used' })).metadata.name).toBe('used');
    expect(await forbiddenText(client.get(secrets, { namespace: 'default', name: 'other' }))).toBe(
      'secrets "other" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the namespace "default": no relationship found between node \'n1\' and this object',
    );
    await forbiddenText(client.list(secrets));
  });

  test('joins again without a token', async () => {
    const again = await joinAs('n1', { token: undefined });
    expect(again.serving).toEqual(node.serving);
    await again.transport.close();
  });
});

describe('joining is refused', () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ['by a token that the cluster does not know', { token: 'zzzzzz.0123456789abcdef' }, 'the cluster knows no token zzzzzz'],
    ['by a token with another secret', { token: 'abcdef.0000000000000000' }, 'not signed by token abcdef'],
    ['when the authority is another', { caHash: `sha256:${'0'.repeat(64)}` }, 'this is another cluster'],
    ['when the hash is none', { caHash: 'x' }, 'must look like sha256:'],
    ['without a token', { token: undefined }, 'a token is needed'],
  ];
  for (const [name, more, message] of cases) {
    test(name, async () => {
      await expect(joinAs('n9', more)).rejects.toThrow(message);
    });
  }
});

test('nobody sees more than how to join', async () => {
  const transport = newHttpsTransport({ server: cluster.url ?? '', ca });
  const statusOf = async (path: string): Promise<number> =>
    (await transport.raw({ path }).catch((error: unknown) => ({ status: error instanceof StatusError ? error.code : 0 }))).status;
  expect(await statusOf('/api/v1/namespaces/kube-public/configmaps/cluster-info')).toBe(200);
  expect(await statusOf('/api/v1/namespaces/kube-public/configmaps')).toBe(401);
  expect(await statusOf('/version')).toBe(200);
  await transport.close();
});

test('a joining machine cannot ask for another role', async () => {
  const transport = newHttpsTransport({ server: cluster.url ?? '', ca, token });
  const client = newClient(transport);
  await forbiddenText(client.list(pods));
  const { items } = await client.list(certificateSigningRequests);
  expect(items.every(({ spec }) => spec.username === 'system:bootstrap:abcdef' || spec.username === 'system:node:n1')).toBe(true);
  await transport.close();
});

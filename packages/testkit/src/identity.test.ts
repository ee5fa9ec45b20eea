import { pods, roleBindings, serviceAccounts } from '@orrery/api';
import type { TokenRequest } from '@orrery/api/authentication/v1';
import { type KubeObject, type Resource, StatusError } from '@orrery/apimachinery';
import { type Client, newClient, newHttpsTransport } from '@orrery/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type TestCluster } from './test-cluster.ts';

const namespace = 'default';
let cluster: TestCluster;
let ca: string;
let token: string;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  cluster = await startCluster({ https: true });
  await cluster.cluster.apiserver.rulesReady;
  ca = Buffer.from(cluster.kubeconfig?.clusters[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString();
  await cluster.client.create(serviceAccounts, { metadata: { name: 'robot', namespace } });
  const answer = await cluster.client.createSubresource<TokenRequest>(serviceAccounts, { namespace, name: 'robot' }, 'token', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  });
  token = answer.status?.token ?? '';
});
afterAll(async () => {
  for (const transport of open) await transport.close();
  await cluster.dispose();
});

function clientWith(more: object): Client {
  const transport = newHttpsTransport({ server: cluster.url ?? '', ca, ...more });
  open.push(transport);
  return newClient(transport);
}
const review = (group: string, kind: string): Resource => ({
  group,
  version: 'v1',
  kind,
  resource: `${kind.toLowerCase()}s`,
  namespaced: false,
});
const ask = async (client: Client, group: string, kind: string, spec?: object): Promise<Readonly<Record<string, unknown>>> => {
  const body = { metadata: {}, ...(spec === undefined ? {} : { spec }) } as unknown as KubeObject;
  return ((await client.create(review(group, kind), body)) as unknown as { readonly status: Record<string, unknown> }).status;
};
const messageOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.catch((cause: unknown) => cause);
  return error instanceof StatusError ? `${error.code} ${error.message}` : 'no error';
};

test('a service account is known by its token, and may do nothing at first', async () => {
  const robot = clientWith({ token });
  expect(await ask(robot, 'authentication.k8s.io', 'SelfSubjectReview')).toMatchObject({
    userInfo: {
      username: 'system:serviceaccount:default:robot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    },
  });
  expect(await messageOf(robot.list(pods, { namespace }))).toBe(
    '403 pods is forbidden: User "system:serviceaccount:default:robot" cannot list resource "pods" in API group "" in the namespace "default"',
  );
  expect((await robot.raw({ path: '/openid/v1/jwks' })).status).toBe(200);
  expect(await messageOf(clientWith({ token: `${token}x` }).list(pods))).toBe('401 Unauthorized');
});

test('a bound role works, also by another who may impersonate', async () => {
  await cluster.client.create(roleBindings, {
    metadata: { name: 'robot', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace }],
  });
  const robot = clientWith({ token });
  // The rules of `view` are gathered by a controller.
  await expect.poll(() => messageOf(robot.list(pods, { namespace })), { timeout: 10_000 }).toBe('no error');
  expect(await messageOf(robot.list(pods))).toContain('at the cluster scope');
  const rules = await ask(robot, 'authorization.k8s.io', 'SelfSubjectRulesReview', { namespace });
  expect(JSON.stringify(rules['resourceRules'])).toContain('"endpointslices"');
  const headers = { 'impersonate-user': 'system:serviceaccount:default:robot' };
  expect(await messageOf(clientWith({ token, headers: { 'impersonate-user': 'bob' } }).list(pods, { namespace }))).toBe(
    '403 users "bob" is forbidden: User "system:serviceaccount:default:robot" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  const user = cluster.kubeconfig?.users[0]?.user ?? {};
  const text = (data: string | undefined): string => Buffer.from(data ?? '', 'base64').toString();
  const admin = clientWith({ cert: text(user['client-certificate-data']), key: text(user['client-key-data']), headers });
  expect(await messageOf(admin.list(pods, { namespace }))).toBe('no error');
  expect(await messageOf(admin.list(pods))).toContain('403');
});

test('pods get a token of their account', async () => {
  const made = await cluster.client.create(pods, {
    metadata: { name: 'p', namespace },
    spec: { serviceAccountName: 'robot', containers: [{ name: 'a', image: 'b' }] },
  } as unknown as Parameters<Client['create']>[1] as never);
  const pod = made as unknown as { readonly spec: { readonly volumes?: readonly { readonly name: string }[] } };
  expect(pod.spec.volumes?.[0]?.name).toMatch(/^kube-api-access-/);
});

import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '@orrery/api';
import type { KubeObject, Resource } from '@orrery/apimachinery';
import type { UserInfo } from '@orrery/apiserver';
import { newSeededRandom, realClock } from '@orrery/base';
import { type Client, newClient } from '@orrery/client';
import { silentLogger } from '@orrery/component';
import { newMemoryStore } from '@orrery/storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KubeApiserver, startKubeApiserver } from '../../server/kube-apiserver.ts';
import { describeRules, missingRules } from './rule-cover.ts';
import { ruleAllows } from './rule-match.ts';

const bob: UserInfo = { username: 'bob', groups: ['dev', 'system:authenticated'] };
let api: KubeApiserver;
let admin: Client;
let close: () => Promise<void>;
const as = (user: UserInfo): Client => newClient(api.transport(user));

beforeAll(async () => {
  const store = newMemoryStore({ clock: realClock });
  api = await startKubeApiserver({ store, clock: realClock, random: newSeededRandom(1), log: silentLogger, freeze: true });
  admin = as({ username: 'admin', groups: ['system:masters'] });
  close = async () => {
    await api.close();
    await store.close();
  };
  await api.rulesReady;
});
afterAll(() => close());

const review = (kind: string): Resource => ({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind,
  resource: `${kind.toLowerCase()}s`,
  namespaced: false,
});
interface Review {
  readonly status: { readonly allowed: boolean; readonly reason?: string };
}
const can = async (user: UserInfo, verb: string, resource: string, more: object = {}): Promise<Review['status']> => {
  const [name = '', group = ''] = resource.split('.');
  const spec = { user: user.username, groups: user.groups, resourceAttributes: { verb, resource: name, group, ...more } };
  const answer = await admin.create(review('SubjectAccessReview'), { metadata: {}, spec } as unknown as KubeObject);
  return (answer as unknown as Review).status;
};
const put = async <T extends KubeObject>(resource: Resource<T>, object: object, client = admin): Promise<T> =>
  await client.create(resource, object as Parameters<typeof client.create<T>>[1]);
const untilAllowed = (user: UserInfo, verb: string, resource: string, more: object = {}): Promise<void> =>
  expect.poll(async () => (await can(user, verb, resource, more)).allowed).toBe(true);
const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'allowed',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

describe('a rule allows', () => {
  const resource = { type: 'resource', user: bob, version: 'v1', namespace: 'n', name: 'x' } as const;
  test.each([
    ['its verb, group and resource', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, 'get', '', 'pods', '', true],
    ['no subresource by the resource', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, 'get', '', 'pods', 'log', false],
    ['a subresource of anything', { verbs: ['*'], apiGroups: ['*'], resources: ['*/scale'] }, 'get', 'apps', 'deployments', 'scale', true],
    ['all', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, 'get', 'a', 'b', 'c', true],
    ['a name', { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['x'] }, 'get', '', 'pods', '', true],
    ['no other name', { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['y'] }, 'get', '', 'pods', '', false],
    ['no other group', { verbs: ['get'], apiGroups: ['apps'], resources: ['pods'] }, 'get', '', 'pods', '', false],
  ])('%s', (_case, rule, verb, group, name, subresource, allowed) => {
    expect(ruleAllows(rule, { ...resource, verb, group, resource: name, subresource })).toBe(allowed);
  });
  test.each([
    ['/api/*', '/api/v1', true],
    ['/api', '/api/v1', false],
    ['*', '/x', true],
  ])('path %s: %s', (pattern, path, allowed) => {
    expect(ruleAllows({ verbs: ['get'], nonResourceURLs: [pattern] }, { type: 'path', user: bob, verb: 'get', path })).toBe(allowed);
  });
});

test('what is missing is told a line for each resource', () => {
  const held = [{ verbs: ['get'], apiGroups: [''], resources: ['*/status'] }];
  const wanted = [{ verbs: ['get', 'list'], apiGroups: ['', 'apps'], resources: ['pods/status'] }];
  expect(describeRules(missingRules(held, wanted))).toEqual([
    '{APIGroups:[""], Resources:["pods/status"], Verbs:["list"]}',
    '{APIGroups:["apps"], Resources:["pods/status"], Verbs:["get" "list"]}',
  ]);
});

describe('the server', () => {
  test('has the default policy', async () => {
    const { items } = await admin.list(clusterRoles);
    expect(items.length).toBeGreaterThan(60);
    expect(await can({ username: 'system:kube-scheduler', groups: [] }, 'create', 'pods', { subresource: 'binding' })).toEqual({
      allowed: true,
      reason:
        'RBAC: allowed by ClusterRoleBinding "system:kube-scheduler" of ClusterRole "system:kube-scheduler" to User "system:kube-scheduler"',
    });
    expect(await can(bob, 'create', 'selfsubjectreviews.authentication.k8s.io')).toEqual({ allowed: false });
    expect((await can(bob, 'create', 'selfsubjectreviews', { group: 'authentication.k8s.io' })).allowed).toBe(true);
  });

  test('gives a role in its namespace alone', async () => {
    await put(roles, {
      metadata: { name: 'reader', namespace: 'default' },
      rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }],
    });
    const subjects = [
      { kind: 'Group', name: 'dev' },
      { kind: 'ServiceAccount', name: 'sa' },
    ];
    await put(roleBindings, { metadata: { name: 'b', namespace: 'default' }, roleRef: { kind: 'Role', name: 'reader' }, subjects });
    await untilAllowed(bob, 'get', 'pods', { namespace: 'default' });
    expect((await can(bob, 'get', 'pods', { namespace: 'default' })).reason).toBe(
      'RBAC: allowed by RoleBinding "b/default" of Role "reader" to Group "dev"',
    );
    expect((await can(bob, 'get', 'pods', { namespace: 'kube-system' })).allowed).toBe(false);
    expect((await can(bob, 'get', 'pods')).allowed).toBe(false);
    const account = { username: 'system:serviceaccount:default:sa', groups: [] };
    expect((await can(account, 'get', 'pods', { namespace: 'default' })).allowed).toBe(true);
  });

  test('says which role is missing', async () => {
    const eve = { username: 'eve', groups: [] };
    await put(clusterRoleBindings, {
      metadata: { name: 'eve' },
      roleRef: { kind: 'ClusterRole', name: 'none' },
      subjects: [{ kind: 'User', name: 'eve' }],
    });
    await expect
      .poll(async () => (await can(eve, 'get', 'pods')).reason)
      .toBe('RBAC: clusterrole.rbac.authorization.k8s.io "none" not found');
  });

  test('refuses to give more than one has', async () => {
    const carl: UserInfo = { username: 'carl', groups: ['system:authenticated'] };
    const rules = [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['secrets'] }];
    expect(await refusal(put(clusterRoles, { metadata: { name: 'mine' }, rules }, as(carl)))).toBe(
      'clusterroles.rbac.authorization.k8s.io "mine" is forbidden: user "carl" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
    );
    await put(clusterRoles, { metadata: { name: 'secrets' }, rules });
    const binding = {
      metadata: { name: 'x', namespace: 'default' },
      roleRef: { kind: 'ClusterRole', name: 'secrets' },
      subjects: [{ kind: 'User', name: 'carl' }],
    };
    await expect.poll(() => refusal(put(roleBindings, binding, as(carl)))).toContain('not currently held');
    await put(clusterRoleBindings, {
      metadata: { name: 'binder' },
      roleRef: { kind: 'ClusterRole', name: 'secrets' },
      subjects: [{ kind: 'User', name: 'carl' }],
    });
    await expect.poll(() => refusal(put(roleBindings, binding, as(carl)))).toBe('allowed');
    expect(
      await refusal(put(clusterRoles, { metadata: { name: 'all' }, aggregationRule: { clusterRoleSelectors: [{}] } }, as(carl))),
    ).toContain('must have cluster-admin privileges to use the aggregationRule');
  });

  test('never changes the role of a binding', async () => {
    const subjects = [{ kind: 'User', name: 'd' }];
    const made = await put(clusterRoleBindings, { metadata: { name: 'fixed' }, roleRef: { kind: 'ClusterRole', name: 'view' }, subjects });
    expect(await refusal(admin.update(clusterRoleBindings, { ...made, roleRef: { ...made.roleRef, name: 'edit' } }))).toContain(
      'roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"edit"}: cannot change roleRef',
    );
  });

  test.each([
    [
      'no verbs',
      { rules: [{ verbs: [], apiGroups: [''], resources: ['pods'] }] },
      'rules[0].verbs: Required value: verbs must contain at least one value',
    ],
    [
      'no groups',
      { rules: [{ verbs: ['get'], resources: ['pods'] }] },
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    ],
    ['paths', { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] }, 'namespaced rules cannot apply to non-resource URLs'],
  ])('refuses a role with %s', async (_case, role, message) => {
    expect(await refusal(put(roles, { metadata: { name: 'bad', namespace: 'default' }, ...role }))).toContain(message);
  });
});

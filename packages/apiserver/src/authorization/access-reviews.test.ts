import type { KubeObject } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import { newTokenAuthenticator } from '../authentication/bearer-token.ts';
import { selfSubjectReviewDefinition, tokenReviewDefinition } from '../authentication/reviews.ts';
import type { UserInfo } from '../definition.ts';
import { startApi } from '../endpoints/test-api.ts';
import { accessReviewDefinitions } from './access-reviews.ts';
import { forbiddenError, newMastersAuthorizer } from './authorizer.ts';

const admin: UserInfo = { username: 'admin', groups: ['system:masters'] };
const bob: UserInfo = { username: 'bob', groups: ['system:authenticated'] };
const definitions = [
  ...accessReviewDefinitions(newMastersAuthorizer()),
  selfSubjectReviewDefinition,
  tokenReviewDefinition([newTokenAuthenticator('test', (token) => (token === 'good' ? { user: bob } : undefined))]),
];
const definitionOf = (kind: string) => {
  const found = definitions.find((definition) => definition.kind === kind);
  if (found === undefined) throw new Error(kind);
  return found;
};
const ask = async (kind: string, body: object, user = admin, namespace?: string): Promise<KubeObject & { readonly status: object }> =>
  (await startApi({ definitions }).object('create', definitionOf(kind), { body, user, namespace })) as unknown as KubeObject & {
    readonly status: object;
  };
const refusal = async (kind: string, body: object, namespace?: string): Promise<string> =>
  (await startApi({ definitions }).error('create', definitionOf(kind), { body, user: admin, namespace })).message;

const pods = { resourceAttributes: { verb: 'list', resource: 'pods', namespace: 'a' } };

describe('access reviews', () => {
  test('one self, and others', async () => {
    expect((await ask('SelfSubjectAccessReview', { spec: pods })).status).toEqual({ allowed: true });
    expect((await ask('SelfSubjectAccessReview', { spec: pods }, bob)).status).toEqual({ allowed: false });
    expect((await ask('SubjectAccessReview', { spec: { ...pods, user: 'x', groups: ['system:masters'] } })).status).toEqual({
      allowed: true,
    });
    expect((await ask('SubjectAccessReview', { spec: { nonResourceAttributes: { verb: 'get', path: '/x' }, user: 'x' } })).status).toEqual({
      allowed: false,
    });
    expect((await ask('LocalSubjectAccessReview', { spec: { ...pods, user: 'x' } }, admin, 'a')).status).toEqual({ allowed: false });
  });

  test('the rules of one self', async () => {
    expect((await ask('SelfSubjectRulesReview', { spec: { namespace: 'a' } })).status).toEqual({
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
    });
    expect(await refusal('SelfSubjectRulesReview', { spec: {} })).toBe('no namespace on request');
  });

  const bad = [
    { kind: 'SelfSubjectAccessReview', spec: {}, message: /spec\.resourceAttributes: Invalid value: null: exactly one of/ },
    { kind: 'SubjectAccessReview', spec: pods, message: /spec\.user: Invalid value: "": at least one of user or group must be specified/ },
    { kind: 'LocalSubjectAccessReview', spec: { ...pods, user: 'x' }, namespace: 'b', message: /must match metadata\.namespace/ },
  ];
  for (const { kind, spec, namespace, message } of bad)
    test(`${kind} refused`, async () => expect(await refusal(kind, { spec }, namespace)).toMatch(message));
});

describe('authentication reviews', () => {
  test('who am I', async () => {
    expect((await ask('SelfSubjectReview', {}, { ...bob, extra: { k: ['v'] } })).status).toEqual({
      userInfo: { username: 'bob', groups: ['system:authenticated'], extra: { k: ['v'] } },
    });
  });

  test('whose is a token', async () => {
    expect((await ask('TokenReview', { spec: { token: 'good' } })).status).toEqual({
      authenticated: true,
      user: { username: 'bob', groups: ['system:authenticated'] },
    });
    expect((await ask('TokenReview', { spec: { token: 'bad' } })).status).toEqual({ user: {}, error: 'invalid bearer token' });
  });
});

describe('the words of a refusal', () => {
  const resource = {
    type: 'resource',
    user: bob,
    verb: 'list',
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    namespace: 'default',
    name: '',
  } as const;
  const cases = [
    { attributes: resource, want: 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"' },
    {
      attributes: { ...resource, verb: 'get', group: 'apps', resource: 'deployments', subresource: 'scale', namespace: '', name: 'x' },
      want: 'deployments.apps "x" is forbidden: User "bob" cannot get resource "deployments/scale" in API group "apps" at the cluster scope',
    },
    { attributes: { type: 'path', user: bob, verb: 'get', path: '/x' } as const, want: 'forbidden: User "bob" cannot get path "/x"' },
  ];
  for (const { attributes, want } of cases) test(want, () => expect(forbiddenError(attributes, '').message).toBe(want));
});

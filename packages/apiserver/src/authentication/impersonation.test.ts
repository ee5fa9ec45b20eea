import { isStatusError } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import type { Attributes, Authorizer } from '../authorization/authorizer.ts';
import { impersonatedUser } from './impersonation.ts';

const admin = { username: 'admin', groups: ['system:masters'] };
const never = new AbortController().signal;

/** Allows everything but the named resource; remembers what was asked. */
const authorizerWithout = (refused: string, asked: Attributes[] = []): Authorizer => ({
  authorize(attributes) {
    asked.push(attributes);
    return { decision: attributes.type === 'resource' && attributes.resource === refused ? 'noOpinion' : 'allow', reason: '' };
  },
  rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
});

describe('impersonation', () => {
  const cases = [
    { name: 'not asked for', headers: ['Host', 'x'], want: undefined },
    { name: 'a user', headers: ['Impersonate-User', 'bob'], want: { username: 'bob', groups: ['system:authenticated'], extra: {} } },
    {
      name: 'with groups, uid and extra',
      headers: [
        ...['Impersonate-User', 'bob', 'impersonate-group', 'a', 'Impersonate-Group', 'b,c'],
        ...['Impersonate-Uid', 'u', 'Impersonate-Extra-Acme.com%2Fscope', 'x', 'impersonate-extra-__proto__', 'y'],
      ],
      want: {
        username: 'bob',
        uid: 'u',
        groups: ['a', 'b,c', 'system:authenticated'],
        extra: JSON.parse('{"acme.com/scope":["x"],"__proto__":["y"]}'),
      },
    },
    {
      name: 'a service account',
      headers: ['Impersonate-User', 'system:serviceaccount:n:s'],
      want: {
        username: 'system:serviceaccount:n:s',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:n', 'system:authenticated'],
        extra: {},
      },
    },
    {
      name: 'nobody',
      headers: ['Impersonate-User', 'system:anonymous'],
      want: { username: 'system:anonymous', groups: ['system:unauthenticated'], extra: {} },
    },
  ];
  for (const { name, headers, want } of cases) {
    test(name, async () => expect(await impersonatedUser(headers, admin, authorizerWithout(''), never)).toEqual(want));
  }

  test('each part is asked of the rules', async () => {
    const asked: Attributes[] = [];
    const headers = [
      'Impersonate-User',
      'system:serviceaccount:n:s',
      'Impersonate-Group',
      'g',
      'Impersonate-Extra-k',
      'v',
      'Impersonate-Uid',
      'u',
    ];
    await impersonatedUser(headers, admin, authorizerWithout('', asked), never);
    expect(asked).toMatchObject([
      { verb: 'impersonate', resource: 'serviceaccounts', namespace: 'n', name: 's', user: admin },
      { resource: 'groups', name: 'g' },
      { group: 'authentication.k8s.io', resource: 'userextras', subresource: 'k', name: 'v' },
      { group: 'authentication.k8s.io', resource: 'uids', name: 'u' },
    ]);
  });

  const refused = [
    {
      headers: ['Impersonate-User', 'bob'],
      without: 'users',
      message: 'users "bob" is forbidden: User "admin" cannot impersonate resource "users" in API group "" at the cluster scope',
    },
    { headers: ['Impersonate-Group', 'g'], without: '', message: 'requested impersonation without impersonating a user' },
  ];
  for (const { headers, without, message } of refused) {
    test(message, async () => {
      const error = await impersonatedUser(headers, admin, authorizerWithout(without), never).catch((reason: unknown) => reason);
      expect(isStatusError(error) && error.message).toBe(message);
    });
  }
});

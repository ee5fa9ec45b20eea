import { newBadRequest } from '@orrery/apimachinery';
import { type Authorizer, forbiddenError, type ResourceAttributes } from '../authorization/authorizer.ts';
import type { UserInfo } from '../definition.ts';
import { anonymousUser, authenticatedGroup } from './authenticator.ts';

/** Whom a request wants to be taken for. Source: the API concept "user impersonation". */
interface Wish {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/**
 * The user that a request acts as, when it asks to act as another and its own user may. Undefined when it does not ask.
 *
 * @param rawHeaders - Names and values in turns, as they came: a header may stand several times.
 * @throws {StatusError} 403 when the rules do not allow the verb `impersonate`, 400 for groups without a user.
 */
export async function impersonatedUser(
  rawHeaders: readonly string[],
  user: UserInfo,
  authorizer: Authorizer,
  signal: AbortSignal,
): Promise<UserInfo | undefined> {
  const wish = wishOf(rawHeaders);
  if (wish === undefined) return undefined;
  for (const attributes of permissionsFor(wish, user)) {
    const { decision, reason } = await authorizer.authorize(attributes, signal);
    if (decision !== 'allow') throw forbiddenError(attributes, reason);
  }
  return { username: wish.username, groups: groupsOf(wish), extra: wish.extra, ...(wish.uid === '' ? {} : { uid: wish.uid }) };
}

const extraPrefix = 'impersonate-extra-';
/** Headers that must not reach another server. */
export const isImpersonationHeader = (name: string): boolean => name.startsWith('impersonate-');

function wishOf(rawHeaders: readonly string[]): Wish | undefined {
  let username = '';
  let uid = '';
  const groups: string[] = [];
  const extra: Record<string, string[]> = {};
  let asked = false;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (!isImpersonationHeader(name)) continue;
    const value = rawHeaders[index + 1] ?? '';
    asked = true;
    if (name === 'impersonate-user') username = value;
    else if (name === 'impersonate-uid') uid = value;
    else if (name === 'impersonate-group') groups.push(value);
    else if (name.startsWith(extraPrefix)) addTo(extra, unescaped(name.slice(extraPrefix.length)), value);
  }
  if (!asked) return undefined;
  if (username === '') throw newBadRequest('requested impersonation without impersonating a user');
  return { username, uid, groups, extra };
}

function addTo(extra: Record<string, string[]>, key: string, value: string): void {
  const values = Object.hasOwn(extra, key) ? (extra[key] ?? []) : [];
  Object.defineProperty(extra, key, { value: [...values, value], enumerable: true, configurable: true, writable: true });
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key; // As it is: upstream keeps keys that are not escaped well.
  }
}

const serviceAccount = /^system:serviceaccount:([^:]+):([^:]+)$/;

function permissionsFor({ username, uid, groups, extra }: Wish, user: UserInfo): ResourceAttributes[] {
  const base = { type: 'resource', user, verb: 'impersonate', group: '', version: 'v1', subresource: '', namespace: '' } as const;
  const authentication = { ...base, group: 'authentication.k8s.io' };
  const account = serviceAccount.exec(username);
  const permissions: ResourceAttributes[] = [
    account === null
      ? { ...base, resource: 'users', name: username }
      : { ...base, resource: 'serviceaccounts', namespace: account[1] ?? '', name: account[2] ?? '' },
    ...groups.map((name) => ({ ...base, resource: 'groups', name })),
  ];
  for (const [subresource, values] of Object.entries(extra)) {
    permissions.push(...values.map((name) => ({ ...authentication, resource: 'userextras', subresource, name })));
  }
  if (uid !== '') permissions.push({ ...authentication, resource: 'uids', name: uid });
  return permissions;
}

/** The groups asked for, or those that everybody of the kind has. */
function groupsOf({ username, groups }: Wish): readonly string[] {
  const account = serviceAccount.exec(username);
  const own = groups.length > 0 || account === null ? groups : ['system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`];
  const last = username === anonymousUser.username ? 'system:unauthenticated' : authenticatedGroup;
  return own.includes(last) || own.includes('system:unauthenticated') ? own : [...own, last];
}

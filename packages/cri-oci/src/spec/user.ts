import { type LinuxContainerSecurityContext, RuntimeError } from '@orrery/cri';
import type { OciUser } from './oci.ts';

export interface UserFiles {
  /** Text of the image's `/etc/passwd`; empty when it has none. */
  readonly passwd: string;
  /** Text of the image's `/etc/group`. */
  readonly group: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const number = /^\d+$/;
const fieldsOf = (text: string): string[][] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));

const passwdEntries = (text: string): readonly PasswdEntry[] =>
  fieldsOf(text)
    .filter(([, , uid = '', gid = '']) => number.test(uid) && number.test(gid))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));

const groupEntries = (text: string): readonly GroupEntry[] =>
  fieldsOf(text)
    .filter(([, , gid = '']) => number.test(gid))
    .map(([name = '', , gid, members = '']) => ({ name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') }));

/** `user[:group]`, each a name or a number, as the pod or else the image says it. */
function wantedUser({ runAsUser, runAsUsername = '' }: LinuxContainerSecurityContext, imageUser: string): readonly [string, string] {
  if (runAsUser?.value !== undefined) return [String(runAsUser.value), ''];
  const [user = '', group = ''] = (runAsUsername === '' ? imageUser : runAsUsername).split(':');
  return [user, group];
}

/**
 * The ids a container's process has. The image's own files say what names mean, which group a user has, and in which other groups they
 * are; the last only while the pod's `supplementalGroupsPolicy` is Merge (KEP-3619).
 *
 * @throws {RuntimeError} `INVALID_ARGUMENT` for a name that the image does not know.
 */
export function containerUser(context: LinuxContainerSecurityContext, imageUser: string, { passwd, group }: UserFiles): OciUser {
  const [userName, groupName] = wantedUser(context, imageUser);
  const users = passwdEntries(passwd);
  const groups = groupEntries(group);
  const entry = users.find(({ name, uid }) => (number.test(userName) ? uid === Number(userName) : name === (userName || 'root')));
  if (entry === undefined && userName !== '' && !number.test(userName))
    throw new RuntimeError('INVALID_ARGUMENT', `unable to find user ${userName}: no matching entries in passwd file`);
  const uid = number.test(userName) ? Number(userName) : (entry?.uid ?? 0);
  const gid = context.runAsGroup?.value ?? groupId(groupName, groups) ?? entry?.gid ?? 0;
  const fromImage =
    context.supplementalGroupsPolicy === 'Strict' || entry === undefined
      ? []
      : groups.filter(({ members }) => members.includes(entry.name)).map((found) => found.gid);
  // The main group stands among the others too: a process that drops it by setgroups must not gain by that.
  return { uid, gid, additionalGids: [...new Set([gid, ...fromImage, ...(context.supplementalGroups ?? [])])] };
}

function groupId(wanted: string, groups: readonly GroupEntry[]): number | undefined {
  if (wanted === '') return undefined;
  if (number.test(wanted)) return Number(wanted);
  const found = groups.find(({ name }) => name === wanted);
  if (found === undefined) throw new RuntimeError('INVALID_ARGUMENT', `unable to find group ${wanted}: no matching entries in group file`);
  return found.gid;
}

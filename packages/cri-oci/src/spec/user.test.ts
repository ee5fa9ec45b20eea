import { describe, expect, test } from 'vitest';
import { containerUser } from './user.ts';

const files = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n# comment\nbroken\n',
  group: 'root:x:0:\napps:x:1001:\nextra:x:50:app,other\nmore:x:51:app\n',
};

describe('containerUser', () => {
  test.each([
    ['nobody says: root', {}, '', { uid: 0, gid: 0, additionalGids: [0] }],
    ['a name of the image', {}, 'app', { uid: 1000, gid: 1001, additionalGids: [1001, 50, 51] }],
    ['a number of the image that has a name', {}, '1000', { uid: 1000, gid: 1001, additionalGids: [1001, 50, 51] }],
    ['a number that nobody has', {}, '4242', { uid: 4242, gid: 0, additionalGids: [0] }],
    ['a user and a group', {}, 'app:extra', { uid: 1000, gid: 50, additionalGids: [50, 51] }],
    ['numbers of both', {}, '7:8', { uid: 7, gid: 8, additionalGids: [8] }],
    ['the pod’s user wins', { runAsUser: { value: 0 } }, 'app', { uid: 0, gid: 0, additionalGids: [0] }],
    ['the pod’s group wins', { runAsGroup: { value: 9 } }, 'app', { uid: 1000, gid: 9, additionalGids: [9, 50, 51] }],
    ['groups of the pod are added', { supplementalGroups: [50, 60] }, 'app', { uid: 1000, gid: 1001, additionalGids: [1001, 50, 51, 60] }],
    [
      'strict: only those of the pod',
      { supplementalGroups: [60], supplementalGroupsPolicy: 'Strict' as const },
      'app',
      { uid: 1000, gid: 1001, additionalGids: [1001, 60] },
    ],
  ])('%s', (_, context, imageUser, expected) => expect(containerUser(context, imageUser, files)).toEqual(expected));

  test.each([
    ['nobody', 'unable to find user nobody: no matching entries in passwd file'],
    ['app:none', 'unable to find group none: no matching entries in group file'],
  ])('%s is refused', (imageUser, message) => expect(() => containerUser({}, imageUser, files)).toThrow(message));
});

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '@orrery/api/core/v1';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Directories, newDirectories } from '../volumes/directories.ts';
import { IDS_PER_POD, newUserNamespaces } from './user-namespaces.ts';

let directories: Directories;
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'userns-'));
  directories = newDirectories(root, join(root, 'logs'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const makePod = (uid: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: uid, uid, resourceVersion: '1', creationTimestamp: '' },
  spec: { containers: [], hostUsers: false },
  status: {},
});
const fresh = (podsMax = 3) => newUserNamespaces(directories, { firstId: IDS_PER_POD, podsMax });

test('every pod has ids of its own, the same ones after a restart', async () => {
  const before = fresh();
  const [a, b] = await Promise.all([before.of(makePod('a')), before.of(makePod('b'))]);
  expect(a).toEqual({
    mode: 'POD',
    uids: [{ hostId: IDS_PER_POD, containerId: 0, length: IDS_PER_POD }],
    gids: [{ hostId: IDS_PER_POD, containerId: 0, length: IDS_PER_POD }],
  });
  expect(b.uids?.[0]?.hostId).toBe(2 * IDS_PER_POD);
  expect(await before.of(makePod('a'))).toEqual(a);
  const saved = JSON.parse(await readFile(join(root, 'pods/a/userns'), 'utf8'));
  expect(saved.uidMappings).toEqual([{ hostId: IDS_PER_POD, containerId: 0, length: IDS_PER_POD }]);

  const after = fresh();
  await after.load();
  expect((await after.of(makePod('c'))).uids?.[0]?.hostId).toBe(3 * IDS_PER_POD);
  expect(await after.of(makePod('b'))).toEqual(b);
});

test('ids come back when a pod is gone', async () => {
  const users = fresh(1);
  await users.of(makePod('a'));
  await expect(users.of(makePod('b'))).rejects.toThrow('could not find an empty slot to allocate a user namespace');
  users.release('a');
  expect((await users.of(makePod('b'))).uids?.[0]?.hostId).toBe(IDS_PER_POD);
});

test('a wrong file stops the kubelet instead of sharing ids', async () => {
  await mkdir(join(root, 'pods/a'), { recursive: true });
  const ids = [{ hostId: 70_000, containerId: 0, length: IDS_PER_POD }];
  await writeFile(join(root, 'pods/a/userns'), JSON.stringify({ uidMappings: ids, gidMappings: ids }));
  await expect(fresh().load()).rejects.toThrow('wrong user namespace offset specified 70000');
});

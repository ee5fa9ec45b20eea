import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '@orrery/base';
import { openLmdbStore, type Store } from '@orrery/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configMaps, named, startApi } from './endpoints/test-api.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'orrery-restart-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const open = (): Promise<Store> => openLmdbStore({ directory, clock: realClock });

test('after a restart everything is there, and watches resume where they were', async () => {
  const first = await open();
  const before = startApi({ store: () => first });
  const made = await before.object('create', configMaps, { body: named('x', { data: { k: '1' } }) });
  await Promise.all(Array.from({ length: 32 }, (_, i) => before.call('create', configMaps, { body: named(`y${i}`) })));
  await before.call('update', configMaps, { name: 'x', body: named('x', { data: { k: '2' } }) });
  await before.call('delete', configMaps, { name: 'y7' });
  const { metadata } = await before.list(configMaps);
  before.handler.close();
  await first.close();

  const second = await open();
  const after = startApi({ store: () => second });
  const watch = after.watch(configMaps, { resourceVersion: made.metadata.resourceVersion, fieldSelector: 'metadata.name=x' });
  const resumed = await watch.next();
  expect(resumed?.type).toBe('MODIFIED');
  expect(resumed?.item.object).toMatchObject({ data: { k: '2' }, metadata: { uid: made.metadata.uid } });
  const again = await after.list(configMaps);
  expect(again.metadata).toEqual(metadata);
  expect(again.items).toHaveLength(32);
  await after.call('update', configMaps, { name: 'x', body: named('x', { data: { k: '3' } }) });
  expect((await watch.next())?.item.object).toMatchObject({ data: { k: '3' } });
  watch.stop();
});

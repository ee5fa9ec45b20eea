import { realClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import type { Store } from '../store.ts';
import { brief, contents, del, eventsUntil, put, write } from './harness.ts';
import type { SuiteContext } from './suite.ts';

/** Expiry is a write of its own, which takes the engine real time. */
async function reached(store: Store, revision: number): Promise<void> {
  for (let round = 0; round < 5000 && store.revision < revision; round += 1) await realClock.sleep(1);
  expect(store.revision).toBe(revision);
}

export function describeLeases(context: SuiteContext): void {
  describe('leases', () => {
    test('keys die with their lease, together, when its time is over', async () => {
      const lease = await context.store.grantLease(10);
      await write(context.store, put('a', '1', lease), put('b', '1', lease), put('c', '1'));
      await write(context.store, put('d', '1', lease));
      expect((await contents(context.store))[0]).toMatchObject({ key: 'a', lease });
      await context.clock.advance(9_999);
      expect(context.store.revision).toBe(3);
      await context.clock.advance(1);
      await reached(context.store, 4);
      expect((await contents(context.store)).map((entry) => entry.key)).toEqual(['c']);
      expect((await eventsUntil(context.store, { fromRevision: 4 }, 4)).map(brief).sort()).toEqual([
        'delete a@4',
        'delete b@4',
        'delete d@4',
      ]);
      await expect(context.store.keepAlive(lease)).rejects.toMatchObject({ code: 'LeaseNotFound' });
    });

    test('keepAlive starts the time again', async () => {
      const lease = await context.store.grantLease(10);
      await write(context.store, put('a', '1', lease));
      for (let round = 0; round < 5; round += 1) {
        await context.clock.advance(9_000);
        await context.store.keepAlive(lease);
      }
      expect(context.store.revision).toBe(2);
      await context.clock.advance(10_000);
      await reached(context.store, 3);
    });

    test('a key that was written without the lease, or with another, outlives it', async () => {
      const [short, long] = [await context.store.grantLease(10), await context.store.grantLease(100)];
      await write(context.store, ...['a', 'b', 'c', 'd'].map((key) => put(key, '1', short)));
      await write(context.store, put('a', '2'), put('b', '2', long), del('c'));
      await context.clock.advance(10_000);
      await reached(context.store, 4);
      expect((await contents(context.store)).map((entry) => [entry.key, entry.lease])).toEqual([
        ['a', 0],
        ['b', long],
      ]);
    });

    test('revokeLease deletes at once, and its number is not given again', async () => {
      const lease = await context.store.grantLease(10);
      await write(context.store, put('a', '1', lease));
      await context.store.revokeLease(lease);
      expect(await contents(context.store)).toEqual([]);
      expect(context.store.revision).toBe(3);
      await expect(context.store.revokeLease(lease)).rejects.toMatchObject({ code: 'LeaseNotFound' });
      await context.clock.advance(20_000);
      expect(context.store.revision).toBe(3);
      expect(await context.store.grantLease(10)).not.toBe(lease);
    });

    test('a lease without keys ends without a write', async () => {
      const lease = await context.store.grantLease(1);
      await context.store.revokeLease(lease);
      expect(context.store.revision).toBe(1);
    });

    test('writing with a lease that does not exist writes nothing', async () => {
      await expect(write(context.store, put('a', '1'), put('b', '1', 4711))).rejects.toMatchObject({ code: 'LeaseNotFound' });
      expect(context.store.revision).toBe(1);
    });

    test('survives a restart, and its time starts again', async () => {
      const lease = await context.store.grantLease(10);
      const revoked = await context.store.grantLease(10);
      await write(context.store, put('a', '1', lease), put('b', '1'));
      await context.store.revokeLease(revoked);
      await context.clock.advance(9_000);
      const store = await context.reopen();
      if (store === undefined) return;
      await context.clock.advance(9_000);
      expect(store.revision).toBe(2);
      await context.clock.advance(1_000);
      await reached(store, 3);
      expect((await contents(store)).map((entry) => entry.key)).toEqual(['b']);
      const next = await store.grantLease(10);
      expect([lease, revoked]).not.toContain(next);
    });
  });
}

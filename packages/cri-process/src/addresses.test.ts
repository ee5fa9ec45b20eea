import { describe, expect, test } from 'vitest';
import { newAddressPool } from './addresses.ts';

describe('newAddressPool', () => {
  test('addresses differ, lie in loopback, and are not reused at once', () => {
    const pool = newAddressPool('a');
    const first = pool.take();
    pool.release(first);
    const second = pool.take();
    expect(first).toMatch(/^127\.\d+\.0\.1$/);
    expect(second).not.toBe(first);
  });
  test('reserved ones are skipped', () => {
    const other = newAddressPool('a').take();
    const pool = newAddressPool('a');
    pool.reserve(other);
    expect(pool.take()).not.toBe(other);
  });
  test('clusters have networks of their own', () => {
    const networks = new Set(['a', 'b', 'c', 'd'].map((seed) => newAddressPool(seed).take()));
    expect(networks.size).toBeGreaterThan(1);
  });
  test('when all are taken it says so', () => {
    const pool = newAddressPool('a');
    for (let i = 0; i < 255 * 254; i += 1) pool.take();
    expect(() => pool.take()).toThrow(/all 64770 pod addresses of this node are in use/);
  });
});

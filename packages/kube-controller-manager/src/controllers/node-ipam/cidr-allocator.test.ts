import { describe, expect, test } from 'vitest';
import { newCidrAllocator } from './cidr-allocator.ts';

describe('pod ranges of nodes', () => {
  test('are given in order, one of each family, and the same again for one node', () => {
    const allocator = newCidrAllocator(['10.244.0.0/16', 'fd00:10:244::/56']);
    expect(allocator.allocate('a')).toEqual(['10.244.0.0/24', 'fd00:10:244::/64']);
    expect(allocator.allocate('b')).toEqual(['10.244.1.0/24', 'fd00:10:244:1::/64']);
    expect(allocator.allocate('a')).toEqual(['10.244.0.0/24', 'fd00:10:244::/64']);
  });

  test('that nodes have, or Services, are given to nobody', () => {
    const allocator = newCidrAllocator(['10.244.0.0/16'], { reserved: ['10.244.0.0/23', '10.96.0.0/12'] });
    allocator.occupy('old', ['10.244.2.0/24', '192.0.2.0/24']);
    expect(allocator.allocate('new')).toEqual(['10.244.3.0/24']);
  });

  test('come again only after all others', () => {
    const allocator = newCidrAllocator(['10.0.0.0/22']);
    allocator.allocate('a');
    allocator.release('a');
    expect(['b', 'c', 'd', 'e', 'f'].map((name) => allocator.allocate(name)?.[0])).toEqual([
      '10.0.1.0/24',
      '10.0.2.0/24',
      '10.0.3.0/24',
      '10.0.0.0/24',
      undefined,
    ]);
    allocator.release('c');
    expect(allocator.allocate('f')).toEqual(['10.0.2.0/24']);
  });

  test('that two nodes were given by hand are free when both are gone', () => {
    const allocator = newCidrAllocator(['10.0.0.0/24']);
    allocator.occupy('a', ['10.0.0.0/24']);
    allocator.occupy('b', ['10.0.0.0/24']);
    allocator.release('a');
    expect(allocator.allocate('c')).toBeUndefined();
    allocator.release('b');
    expect(allocator.allocate('c')).toEqual(['10.0.0.0/24']);
  });
});

import { expect, test } from 'vitest';
import { isProcessPodAddress } from './addresses.ts';
import { validateEndpointIp } from './core/endpoints/validation.ts';

test.each([
  ['127.0.0.1', false],
  ['127.0.1.1', false],
  ['127.15.255.255', false],
  ['127.16.0.1', true],
  ['127.239.3.4', true],
  ['::1', false],
  ['10.0.0.1', false],
  ['nonsense', false],
])('%s is an address of a process pod: %s', (address, expected) => {
  expect(isProcessPodAddress(address)).toBe(expected);
});

test('services reach process pods, and nothing else on loopback', () => {
  expect(validateEndpointIp('127.16.0.1', 'ip')).toEqual([]);
  expect(validateEndpointIp('127.0.0.53', 'ip')).toHaveLength(1);
  expect(validateEndpointIp('169.254.0.1', 'ip')).toHaveLength(1);
});

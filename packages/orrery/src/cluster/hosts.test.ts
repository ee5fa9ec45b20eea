import { expect, test } from 'vitest';
import { clientHost, namesOf, urlHost } from './hosts.ts';

test.each([
  ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1', '127.0.0.1'],
  ['::', '::1', '[::1]'],
  ['fd00::1', 'fd00::1', '[fd00::1]'],
  ['box.example', 'box.example', 'box.example'],
])('listening on %s, clients reach %s', (host, client, url) => {
  expect([clientHost(host), urlHost(host)]).toEqual([client, url]);
});

test('the certificate names the address, or every address of the machine', () => {
  expect(namesOf('10.0.0.1')).toEqual(['10.0.0.1']);
  expect(namesOf('0.0.0.0')).not.toContain('0.0.0.0');
});

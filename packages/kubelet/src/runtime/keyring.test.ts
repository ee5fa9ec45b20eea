import { expect, test } from 'vitest';
import { credentialsFor, registryKey } from './keyring.ts';

const auths = (...servers: readonly string[]) => servers.map((serverAddress) => ({ serverAddress, username: serverAddress }));
const cases: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
  ['of the same registry', 'r.io/a:1', ['r.io', 'other.io'], ['r.io']],
  ['of no registry', 'r.io/a:1', ['other.io'], []],
  ['with scheme and protocol path', 'r.io/a:1', ['https://r.io/v1/', 'http://r.io'], ['http://r.io', 'https://r.io/v1/']],
  ['of a longer path first', 'r.io/team/a', ['r.io', 'r.io/team', 'r.io/else'], ['r.io/team', 'r.io']],
  ['of the same port only', 'r.io:5000/a', ['r.io', 'r.io:5000'], ['r.io:5000']],
  ['by pattern', 'eu.r.io/a', ['*.r.io', 'r.io', '*.io'], ['*.r.io']],
  ['a pattern does not cross dots', 'a.b.r.io/x', ['*.r.io'], []],
  ['of Docker Hub', 'nginx:1', ['https://index.docker.io/v1/', 'r.io'], ['https://index.docker.io/v1/']],
  ['of Docker Hub by path', 'team/app', ['index.docker.io'], ['index.docker.io']],
  ['not of Docker Hub for another registry', 'localhost:5000/a', ['index.docker.io'], []],
];
for (const [name, image, servers, want] of cases) {
  test(`credentials ${name}`, () => {
    const found = credentialsFor(image, auths(...servers)).map(({ serverAddress }) => serverAddress);
    expect([...found].sort()).toEqual([...want].sort());
    if (name.includes('first')) expect(found).toEqual(want);
  });
}
test('registryKey', () => expect(['https://r.io/v2/', 'r.io/', 'r.io/v1/x'].map(registryKey)).toEqual(['r.io', 'r.io', 'r.io/x']));

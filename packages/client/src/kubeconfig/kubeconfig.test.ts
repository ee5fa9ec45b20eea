import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newVirtualClock, realClock } from '@orrery/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { httpsOptionsOf, inClusterConfig, tokenFromFile } from './credentials.ts';
import { loadKubeconfig, parseKubeconfig, updateKubeconfig, writeKubeconfig } from './files.ts';
import { emptyKubeconfig, type Kubeconfig, type KubeconfigCluster, type KubeconfigUser, resolveContext } from './kubeconfig.ts';
import { mergeKubeconfig, removeContext } from './merge.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-kubeconfig-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const config = (name: string, cluster: KubeconfigCluster = {}, user: KubeconfigUser = {}): Kubeconfig => ({
  ...emptyKubeconfig,
  clusters: [{ name, cluster: { server: `https://${name}:6443`, ...cluster } }],
  users: [{ name, user }],
  contexts: [{ name, context: { cluster: name, user: name } }],
  'current-context': name,
});
const names = ({ clusters, contexts, users }: Kubeconfig): string[] =>
  [clusters, contexts, users].map((list) => list.map(({ name }) => name).join(','));
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('merging', () => {
  test('of a list of files the first counts, for entries and the current context', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    await writeKubeconfig(one, { ...config('a', { server: 'https://first' }), 'current-context': '' });
    await writeKubeconfig(two, mergeKubeconfig(config('b'), config('a')));
    const loaded = await loadKubeconfig([one, join(folder, 'absent'), '', two]);
    expect(loaded['current-context']).toBe('b');
    expect(resolveContext(loaded, 'a').cluster.server).toBe('https://first');
    expect(resolveContext(loaded).cluster.server).toBe('https://b:6443');
  });

  test('merging into the user’s file replaces by name and keeps the current context unless asked', () => {
    const merged = mergeKubeconfig(config('mine'), config('orrery'));
    expect(names(merged)).toEqual(['mine,orrery', 'mine,orrery', 'mine,orrery']);
    expect(merged['current-context']).toBe('mine');
    expect(mergeKubeconfig(config('mine'), config('orrery'), { setCurrent: true })['current-context']).toBe('orrery');
    const replaced = mergeKubeconfig(merged, config('orrery', { server: 'https://new' }));
    expect(resolveContext(replaced, 'orrery').cluster.server).toBe('https://new');
    expect(names(replaced)).toEqual(names(merged));
  });

  test('removing a context takes what only it used', () => {
    const shared: Kubeconfig = {
      ...mergeKubeconfig(config('a'), config('b')),
      contexts: [...config('a').contexts, ...config('b').contexts, { name: 'c', context: { cluster: 'a', user: 'b' } }],
    };
    const removed = removeContext(shared, 'a');
    expect(names(removed)).toEqual(['a,b', 'b,c', 'b']);
    expect(removed['current-context']).toBeUndefined();
    expect(removeContext(shared, 'none')).toBe(shared);
  });

  test('what is missing is named', () => {
    expect(() => resolveContext(emptyKubeconfig)).toThrow('no current-context');
    expect(() => resolveContext(config('a'), 'b')).toThrow('context "b" does not exist');
    expect(() => resolveContext({ ...config('a'), clusters: [] })).toThrow('cluster "a" of context "a" does not exist');
    expect(() => resolveContext({ ...config('a'), users: [] })).toThrow('user "a" of context "a" does not exist');
  });
});

describe('files', () => {
  test('round trip, unknown fields kept, owner only, nothing left beside', async () => {
    const path = join(folder, 'deep', 'config');
    const original = { ...config('a'), 'x-own': { kept: true } } as Kubeconfig;
    await writeKubeconfig(path, original);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await loadKubeconfig([path])).toMatchObject(original);
    expect(await readdir(join(folder, 'deep'))).toEqual(['config']);
    expect((await readFile(path, 'utf8')).startsWith('apiVersion: v1\nclusters:\n')).toBe(true);
  });

  test('a symbolic link stays one', async () => {
    const [real, link] = [join(folder, 'real'), join(folder, 'link')];
    await writeKubeconfig(real, config('a'));
    await symlink(real, link);
    await updateKubeconfig(link, realClock, (old) => mergeKubeconfig(old, config('b')));
    expect(names(await loadKubeconfig([real]))[0]).toBe('a,b');
  });

  test('an update holds the lock and gives it back; a lock that stays is an error', async () => {
    const path = join(folder, 'config');
    await updateKubeconfig(path, realClock, (old) => {
      expect(existsSync(`${path}.lock`)).toBe(true);
      return mergeKubeconfig(old, config('a'));
    });
    expect(await readdir(folder)).toEqual(['config']);
    await writeFile(`${path}.lock`, '');
    const impatient = { ...realClock, sleep: async () => {} };
    await expect(updateKubeconfig(path, impatient, (old) => old)).rejects.toThrow('another program changes');
  });

  test('concurrent updates are all kept', async () => {
    const path = join(folder, 'config');
    const updates = Array.from({ length: 5 }, (_, i) => updateKubeconfig(path, realClock, (old) => mergeKubeconfig(old, config(`c${i}`))));
    await Promise.all(updates);
    expect((await loadKubeconfig([path])).contexts).toHaveLength(5);
  });

  const malformed = [
    { name: 'no YAML', text: 'a: [' },
    { name: 'no mapping', text: '- a' },
    { name: 'clusters is no list', text: 'clusters: 5' },
    { name: 'an entry without a name', text: 'users:\n- user: {}' },
    { name: 'an entry that is no mapping', text: 'contexts:\n- name: a\n  context: text' },
  ];
  for (const { name, text } of malformed) {
    test(`refused with the path: ${name}`, () => expect(parseKubeconfig(text, '/x/config')).rejects.toThrow('/x/config: '));
  }
  test('an empty file is an empty config', async () => expect(await parseKubeconfig('', '/x')).toEqual(emptyKubeconfig));
});

describe('credentials', () => {
  test('embedded data wins over files; relative paths start at the file', async () => {
    const path = join(folder, 'config');
    await writeFile(join(folder, 'ca.pem'), 'CA FILE');
    await writeFile(join(folder, 'cert.pem'), 'CERT FILE');
    const user: KubeconfigUser = { 'client-certificate': 'cert.pem', 'client-key': 'absent', 'client-key-data': base64('KEY DATA') };
    await writeKubeconfig(path, config('a', { 'certificate-authority': 'ca.pem', 'tls-server-name': 'kube' }, user));
    await updateKubeconfig(path, realClock, (old) => mergeKubeconfig(old, config('b')));
    expect(await readFile(path, 'utf8')).toContain('certificate-authority: ca.pem');
    const options = await httpsOptionsOf(resolveContext(await loadKubeconfig([path])));
    expect(options).toMatchObject({ server: 'https://a:6443', serverName: 'kube', ca: 'CA FILE', cert: 'CERT FILE', key: 'KEY DATA' });
  });

  test('tokens, passwords and impersonation', async () => {
    const user: KubeconfigUser = { token: 't', as: 'jane', 'as-groups': ['a', 'b'], 'as-user-extra': { 'Some/Key': ['v'] } };
    const options = await httpsOptionsOf(resolveContext(config('a', {}, user)));
    expect(options.token).toBe('t');
    expect(options.headers).toEqual({ 'impersonate-user': 'jane', 'impersonate-group': ['a', 'b'], 'impersonate-extra-some%2fkey': ['v'] });
    const basic = await httpsOptionsOf(resolveContext(config('a', {}, { username: 'u', password: 'p' })));
    expect(basic.headers).toEqual({ authorization: `Basic ${base64('u:p')}` });
  });

  test('what is not supported says so', async () => {
    const exec = httpsOptionsOf(resolveContext(config('a', {}, { exec: { command: 'x' } })));
    await expect(exec).rejects.toThrow('apiVersion must be specified');
    await expect(httpsOptionsOf(resolveContext(config('a', { 'proxy-url': 'http://p' })))).rejects.toThrow('proxy-url');
  });

  test('a token file is read again after a minute, or when its token was refused', async () => {
    const clock = newVirtualClock();
    const path = join(folder, 'token');
    await writeFile(path, 'one\n');
    const token = tokenFromFile(path, clock) as Exclude<ReturnType<typeof tokenFromFile>, string>;
    expect(await token({ rejected: false })).toBe('one');
    await writeFile(path, 'two\n');
    expect(await token({ rejected: false })).toBe('one');
    expect(await token({ rejected: true })).toBe('two');
    await writeFile(path, 'three\n');
    await clock.advance(60_000);
    expect(await token({ rejected: false })).toBe('three');
  });

  test('in a pod', async () => {
    await Promise.all(['ca.crt', 'namespace', 'token'].map((name) => writeFile(join(folder, name), `${name}\n`)));
    const { options, namespace } = await inClusterConfig({ host: 'fd00::1', port: '443', folder });
    expect([options.server, options.ca, namespace]).toEqual(['https://[fd00::1]:443', 'ca.crt\n', 'namespace']);
  });
});

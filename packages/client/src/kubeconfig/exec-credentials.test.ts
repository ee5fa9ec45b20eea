import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '@orrery/apimachinery';
import { newVirtualClock, realClock } from '@orrery/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { httpsOptionsOf, transportFromKubeconfig } from './credentials.ts';
import { execConfigOf } from './exec-config.ts';
import { newExecCredentials } from './exec-credentials.ts';
import { type PluginAnswer, runPlugin } from './exec-plugin.ts';
import { loadKubeconfig } from './files.ts';
import { type Kubeconfig, resolveContext } from './kubeconfig.ts';

const v1 = 'client.authentication.k8s.io/v1';
const v1beta1 = 'client.authentication.k8s.io/v1beta1';
const host = { env: { PATH: '/usr/bin:/bin', INHERITED: 'yes' }, terminal: false };
const configOf = (exec: JsonObject, cluster = {}) =>
  execConfigOf({ exec: { apiVersion: v1, command: '/bin/sh', interactiveMode: 'Never', ...exec } }, cluster, 'CA', 'c');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-plugin-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A plugin that prints a text. */
const printing = (text: string, exec: JsonObject = {}) => configOf({ args: ['-c', 'printf %s "$1"', 'sh', text], ...exec });
const credential = (status: object, apiVersion = v1): string => JSON.stringify({ apiVersion, kind: 'ExecCredential', status });

describe('what a kubeconfig says of a plugin', () => {
  test.each([
    [{ command: '' }, 'command must be specified for user to use exec authentication plugin'],
    [{ apiVersion: '' }, 'apiVersion must be specified'],
    [{ apiVersion: 'client.authentication.k8s.io/v1alpha1' }, 'v1alpha1 is not supported'],
    [{ interactiveMode: '' }, 'interactiveMode must be specified'],
    [{ interactiveMode: 'Sometimes' }, 'invalid interactiveMode "Sometimes"'],
    [{ args: [1] }, 'exec.args must be strings'],
    [{ env: [{ value: 'x' }] }, 'env variable name must be specified'],
  ])('%j is refused', (exec, message) => expect(() => configOf(exec)).toThrow(message));

  test('v1beta1 may leave the mode out', () =>
    expect(configOf({ apiVersion: v1beta1, interactiveMode: '' }).interactiveMode).toBe('IfAvailable'));
});

describe('a plugin', () => {
  test('gets its arguments untouched, its environment over ours, and what it is asked', async () => {
    const script = 'printf "%s\\n" "$@" "$INHERITED" "$OWN" "$KUBERNETES_EXEC_INFO" >"$FILE"; printf %s "$ANSWER"';
    const env = Object.entries({ OWN: 'own', FILE: join(folder, 'seen'), ANSWER: credential({ token: 't' }) });
    const cluster = { server: 'https://x', extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }] };
    const exec = {
      args: ['-c', script, 'sh', 'a b', '$(id)'],
      env: env.map(([name, value]) => ({ name, value })),
      provideClusterInfo: true,
    };
    expect((await runPlugin(configOf(exec, cluster), host)).credential).toEqual({ token: 't' });
    const [first, second, inherited, own, info = ''] = (await readFile(join(folder, 'seen'), 'utf8')).split('\n');
    expect([first, second, inherited, own]).toEqual(['a b', '$(id)', 'yes', 'own']);
    const ca = Buffer.from('CA').toString('base64');
    expect(JSON.parse(info)).toEqual({
      kind: 'ExecCredential',
      apiVersion: v1,
      spec: { cluster: { server: 'https://x', 'certificate-authority-data': ca, config: { audience: 'a' } }, interactive: false },
    });
  });

  test('gives a certificate and when it ends', async () => {
    const status = { clientCertificateData: 'C', clientKeyData: 'K', expirationTimestamp: '2030-01-01T00:00:00Z' };
    expect(await runPlugin(printing(credential(status, v1beta1), { apiVersion: v1beta1 }), host)).toEqual({
      credential: { certificate: { cert: 'C', key: 'K' } },
      expiresMs: Date.UTC(2030, 0, 1),
    });
  });

  test.each([
    ['nothing', 'decoding stdout: it is not JSON'],
    ['{"kind":"Pod"}', 'kind must be ExecCredential'],
    [credential({ token: 't' }, v1beta1), `exec plugin is configured to use API version ${v1}, plugin returned version ${v1beta1}`],
    [JSON.stringify({ apiVersion: v1, kind: 'ExecCredential' }), "exec plugin didn't return a status field"],
    [credential({}), "exec plugin didn't return a token or cert/key pair"],
    [credential({ clientKeyData: 'K' }), 'exec plugin returned only certificate or key, not both'],
    [credential({ token: 5 }), 'status.token must be a string'],
    [credential({ token: 't', expirationTimestamp: 'soon' }), 'is no time'],
  ])('that answers %s is told apart', (text, message) => expect(runPlugin(printing(text), host)).rejects.toThrow(message));

  test.each([
    [{ command: 'no-such-plugin', installHint: 'get it there' }, 'exec: executable no-such-plugin not found\n\nget it there'],
    [{ args: ['-c', 'exit 3'] }, 'exec: executable /bin/sh failed with exit code 3'],
    [{ interactiveMode: 'Always' }, 'exec plugin cannot support interactive mode: standard input is not a terminal'],
    [{ args: ['-c', 'exec cat /dev/zero'] }, 'wrote more than'],
  ])('%j fails with a reason', (exec, message) => expect(runPlugin(configOf(exec), host)).rejects.toThrow(message));
});

describe('credentials in memory', () => {
  const plugin = (lifetimeMs?: number) => {
    const clock = newVirtualClock();
    let runs = 0;
    const run = async (): Promise<PluginAnswer> => {
      runs += 1;
      return { credential: { token: `t${runs}` }, expiresMs: lifetimeMs === undefined ? undefined : clock.now() + lifetimeMs };
    };
    return { clock, source: newExecCredentials(configOf({}), host, clock, run), runs: () => runs };
  };
  const none = { rejected: undefined };

  test('run the plugin once for many who ask, and again after they expired', async () => {
    const { clock, source, runs } = plugin(60_000);
    await Promise.all([source(none), source(none), source(none)]);
    expect(runs()).toBe(1);
    await clock.advance(60_001);
    expect((await source(none)).token).toBe('t2');
  });

  test('are replaced once, however many requests the server refused them to', async () => {
    const { source, runs } = plugin();
    const rejected = await source(none);
    const [one, two] = await Promise.all([source({ rejected }), source({ rejected })]);
    expect([one.token, two.token, (await source({ rejected })).token, runs()]).toEqual(['t2', 't2', 't2', 2]);
  });

  test('that cannot be had reject as an API error does', async () => {
    const source = newExecCredentials(configOf({ args: ['-c', 'exit 1'] }), host, realClock);
    await expect(source(none)).rejects.toMatchObject({
      reason: 'Unauthorized',
      message: expect.stringContaining('getting credentials: exec'),
    });
  });
});

describe('a kubeconfig with a plugin', () => {
  const kubeconfig = async (server: string, exec: JsonObject): Promise<Kubeconfig> => {
    const path = join(folder, 'config');
    const text = {
      clusters: [{ name: 'c', cluster: { server } }],
      users: [{ name: 'u', user: { exec: { apiVersion: v1, interactiveMode: 'Never', ...exec } } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(path, JSON.stringify(text));
    return loadKubeconfig([path]);
  };
  async function serving<T>(handler: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test('runs a program beside the file, and again when the server refuses what it gave', async () => {
    const script = `#!/bin/sh\ncount=$(cat '${folder}/count' 2>/dev/null || echo 0); count=$((count + 1)); echo $count >'${folder}/count'
printf '{"apiVersion":"${v1}","kind":"ExecCredential","status":{"token":"t%s"}}' $count\n`;
    await writeFile(join(folder, 'plugin'), script);
    await chmod(join(folder, 'plugin'), 0o755);
    const seen: (string | undefined)[] = [];
    const answer: RequestListener = ({ headers: { authorization } }, response) => {
      seen.push(authorization);
      response.writeHead(authorization === 'Bearer t1' && seen.length > 1 ? 401 : 200).end('{}');
    };
    await serving(answer, async (url) => {
      const transport = await transportFromKubeconfig(await kubeconfig(url, { command: './plugin' }), { plugins: host });
      for (let i = 0; i < 3; i += 1) for await (const _ of (await transport.raw({ path: '/version' })).body);
      await transport.close();
    });
    expect(seen).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2', 'Bearer t2']);
  });

  test('is refused where programs may not run; a token in the file wins over it', async () => {
    const config = await kubeconfig('https://x', { command: 'plugin' });
    await expect(httpsOptionsOf(resolveContext(config))).rejects.toThrow('its credentials come from the program plugin');
    const context = resolveContext(config);
    const both = await httpsOptionsOf({ ...context, user: { ...context.user, token: 'mine' } });
    expect([both.token, both.credentials]).toEqual(['mine', undefined]);
  });
});

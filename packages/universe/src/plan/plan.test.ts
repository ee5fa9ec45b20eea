import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { packCode } from '../code/pack.ts';
import { parseArguments } from '../options/flags.ts';
import { resolveSettings } from '../options/resolve.ts';
import { nodeBootstrap } from '../pod/bootstrap-node.ts';
import { runLabel } from './labels.ts';
import { PART_BYTES_MAX } from './payload.ts';
import { manifestOf, planRun } from './plan.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly spec?: { readonly replicas?: number };
}

async function plan(argv: readonly string[], content = Buffer.from('console.log(1)')) {
  const payload = await packCode({ starter: 'node', files: [{ path: 'app.mjs', content }], entry: 'app.mjs', platform: undefined });
  const settings = resolveSettings({ options: { ports: [8080] }, parsed: parseArguments(argv), env: {}, fallbackName: 'app' });
  const { root, objects } = planRun({
    run: { app: 'app', id: 'abcde', namespace: 'default' },
    settings,
    replicas: settings.replicas,
    payload,
    bootstrap: nodeBootstrap,
    image: 'node:20-slim',
    security: 'restricted',
    tls: undefined,
    configFiles: [],
    startedBy: 'me',
    command: 'node app.mjs',
  });
  return { payload, root, manifests: objects.map(manifestOf) as readonly Manifest[] };
}

test('a server is a Deployment behind a Service, its code in a ConfigMap; every object carries the run', async () => {
  const { manifests, root } = await plan(['--replicas', '5']);
  expect(manifests.map(({ kind }) => kind)).toEqual(['ConfigMap', 'Service', 'Deployment']);
  expect(manifests.find(({ kind }) => kind === 'Deployment')?.spec?.replicas).toBe(5);
  for (const { metadata } of [...manifests, root as unknown as Manifest]) expect(metadata.labels[runLabel]).toBe('abcde');
  expect(root.spec?.ttlSecondsAfterFinished).toBeGreaterThanOrEqual(0);
});

test('a job is a Job without a Service', async () => {
  expect((await plan(['--job'])).manifests.map(({ kind }) => kind)).toEqual(['ConfigMap', 'Job']);
});

test('large code is cut in parts that a ConfigMap holds, and they join to what was packed', async () => {
  const noise = randomBytes(2 * PART_BYTES_MAX);
  const { manifests, payload } = await plan([], noise);
  const parts = manifests.flatMap(({ binaryData }) => Object.values(binaryData ?? {}).map((text) => Buffer.from(text, 'base64')));
  expect(parts.length).toBeGreaterThan(1);
  expect(Buffer.concat(parts).equals(payload.packed)).toBe(true);
});

test('the archive is one that tar reads, and the same files give the same hash', async () => {
  const { payload } = await plan([]);
  const archive = brotliDecompressSync(payload.packed);
  expect(execFileSync('tar', ['-xOf', '-', 'app.mjs'], { input: archive }).toString()).toBe('console.log(1)');
  expect((await plan([])).payload.hash).toBe(payload.hash);
});

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../tools/generate/source.ts';

/** What child processes run: bundled in the way users get it, so that no transpiler's additions are measured. Removed on disposal. */
export async function bundleChild(): Promise<AsyncDisposable & { readonly file: string }> {
  // Inside node_modules, so that packages with native code resolve.
  const directory = join(root, 'node_modules/.cache/orrery-bench', String(process.pid));
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'child.cjs');
  await build({
    entryPoints: [join(root, 'bench/child.ts')],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    conditions: ['source'],
    external: ['lmdb', '@lydell/node-pty', 'esbuild', 'playwright-core'],
    sourcemap: true,
    logLevel: 'warning',
  });
  return { file, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

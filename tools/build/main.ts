// Bundles what users run: `npm run bundle`. CommonJS, because it loads 20-35 ms faster than ESM.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { generateDashboardPage } from '../generate/dashboard-page.ts';
import { root } from '../generate/source.ts';

const bundle = join(root, 'packages/orrery/dist/orrery.cjs');
const codeCache = join(root, 'packages/orrery/dist/orrery.code-cache');
const CODE_CACHE_TIMEOUT_MS = 30_000;

/** Of this Node: another one compiles for itself. A start without it is slower and otherwise the same, so a failure is told, not fatal. */
async function makeCodeCache(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'orrery-code-cache-'));
  try {
    const args = [join(root, 'tools/build/code-cache.cjs'), bundle, codeCache, directory];
    await promisify(execFile)(process.execPath, args, { timeout: CODE_CACHE_TIMEOUT_MS });
  } catch (err) {
    await rm(codeCache, { force: true });
    process.stderr.write(`no code cache: starts take longer (${err instanceof Error ? err.message : String(err)})\n`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

await generateDashboardPage();
const universe = join(root, 'packages/universe');

/** One file for a plain start, and parts that only a deployment loads. */
async function bundleUniverse(): Promise<void> {
  const outdir = join(universe, 'dist/bundle');
  await rm(outdir, { recursive: true, force: true });
  await build({
    entryPoints: [join(universe, 'src/main.ts')],
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['source'],
    // Packages that are CommonJS and ask for Node's own modules want a `require`.
    banner: { js: "import{createRequire as __universeRequire}from'node:module';const require=__universeRequire(import.meta.url);" },
    external: ['esbuild', 'yaml'],
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
}

await rm(codeCache, { force: true }); // V8 tells bundles apart by their length alone.
await build({
  entryPoints: [join(root, 'packages/orrery/src/main.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  conditions: ['source'],
  // Native code ships prebuilt inside these packages and cannot be bundled.
  external: ['lmdb', '@lydell/node-pty', 'esbuild'],
  // What stays outside is loaded by require: the loader of ES modules alone takes 20 ms to start.
  supported: { 'dynamic-import': false },
  // Half the text to parse at each start. Names stay: they are in stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  charset: 'ascii',
  sourcemap: true,
  legalComments: 'none',
  logLevel: 'warning',
});
await makeCodeCache();
await bundleUniverse();

import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import { LaunchProblem } from '../options/settings.ts';
import { universeInPod } from '../pod/universe-in-pod.ts';
import type { ArchiveFile } from './tar.ts';

export interface Bundle {
  /** The program in one file, its source map beside it. */
  readonly files: readonly ArchiveFile[];
  readonly entry: string;
  /** Absolute paths of what it was made from, without packages. */
  readonly inputs: readonly string[];
}

const ourselves: Plugin = {
  name: 'universe-in-pod',
  setup(build) {
    build.onResolve({ filter: /^@orrery\/universe$/ }, () => ({ path: 'universe', namespace: 'universe' }));
    build.onLoad({ filter: /.*/, namespace: 'universe' }, () => ({ contents: universeInPod, loader: 'js' }));
  },
};

const loaders: Readonly<Record<string, 'ts' | 'tsx' | 'js' | 'jsx'>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
};

/** `require.main === module` in the program itself is true, though its module is no longer the outermost. */
const mainModule = (entry: string): Plugin => ({
  name: 'main-module',
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path }) => {
      if (path !== entry) return undefined;
      const text = await readFile(path, 'utf8');
      return { contents: text.replaceAll('require.main === module', 'true'), loader: loaders[extname(path)] ?? 'js' };
    });
  },
});

/** ES modules have no `require`, which bundled CommonJS packages use for Node's own modules. */
const requireBanner =
  "import{createRequire as __universeRequire}from'node:module';import{fileURLToPath as __universePath}from'node:url';" +
  "const require=__universeRequire(import.meta.url),__filename=__universePath(import.meta.url),__dirname=__universePath(new URL('.',import.meta.url)).slice(0,-1);";

const isModuleText = (text: string): boolean => /^\s*(?:import\b(?!\s*\()|export\b)/m.test(text) || /\bimport\.meta\b/.test(text);

/**
 * One file of a program and all that it imports.
 * @param root - Folder of the program's package: paths in the archive are relative to it.
 * @param nodeMajor - Major version of the Node that will run it.
 * @throws {LaunchProblem} with esbuild's messages, or when esbuild is not installed.
 */
export async function bundleProgram(entry: string, root: string, nodeMajor: number): Promise<Bundle> {
  const { build } = await import('esbuild').catch((cause: unknown) => {
    throw new LaunchProblem('esbuild, which packs the program, is not installed: npm install --save-dev esbuild', { cause });
  });
  const esm = isModuleText(await readFile(entry, 'utf8'));
  const name = `${relative(root, entry).slice(0, -extname(entry).length)}.${esm ? 'mjs' : 'cjs'}`;
  const outfile = resolve(root, name);
  const result = await build({
    entryPoints: [entry],
    outfile,
    write: false,
    bundle: true,
    platform: 'node',
    target: `node${nodeMajor}`,
    format: esm ? 'esm' : 'cjs',
    banner: esm ? { js: requireBanner } : {},
    sourcemap: 'linked',
    sourcesContent: false,
    sourceRoot: '',
    metafile: true,
    legalComments: 'none',
    logLevel: 'silent',
    absWorkingDir: root,
    plugins: [ourselves, ...(esm ? [] : [mainModule(entry)])],
  }).catch((cause: unknown) => {
    throw new LaunchProblem(`${basename(entry)} cannot be packed:\n${messagesOf(cause)}`, { cause });
  });
  return {
    files: result.outputFiles.map(({ path, contents }) => ({ path: join(dirname(name), basename(path)), content: contents })),
    entry: name,
    inputs: Object.keys(result.metafile.inputs)
      .filter((path) => !path.includes(':') && !path.includes('node_modules/'))
      .map((path) => resolve(root, path)),
  };
}

interface BuildMessage {
  readonly text: string;
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | null;
}

function messagesOf(cause: unknown): string {
  const { errors } = cause as { readonly errors?: readonly BuildMessage[] };
  if (errors === undefined) return cause instanceof Error ? cause.message : String(cause);
  return errors
    .map(({ text, location }) => (location === null ? text : `${location.file}:${location.line}:${location.column}: ${text}`))
    .join('\n');
}

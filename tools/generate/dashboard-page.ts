import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './source.ts';

const folder = join(root, 'packages/dashboard/page');
const output = join(root, 'packages/dashboard/src/generated/page.ts');

/** Bundles the dashboard's page into a module of zipped text, so that it travels in whatever bundle the dashboard is in. */
export async function generateDashboardPage(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: { page: join(folder, 'main.tsx') },
    outdir: '/',
    write: false,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    conditions: ['source'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  const built = (ending: string): Uint8Array => outputFiles.find(({ path }) => path.endsWith(ending))?.contents ?? new Uint8Array();
  const files = {
    '/': { type: 'text/html; charset=utf-8', content: await readFile(join(folder, 'index.html')) },
    '/page.js': { type: 'text/javascript; charset=utf-8', content: built('.js') },
    '/page.css': { type: 'text/css; charset=utf-8', content: built('.css') },
    '/icon.svg': { type: 'image/svg+xml', content: await readFile(join(folder, 'icon.svg')) },
  };
  const page = Object.fromEntries(
    Object.entries(files).map(([path, { type, content }]) => [path, { type, gzip: gzipSync(content, { level: 9 }).toString('base64') }]),
  );
  await mkdir(join(output, '..'), { recursive: true });
  await writeFile(
    output,
    `// Made from packages/dashboard/page by \`npm run generate\`.\nexport const page: Readonly<Record<string, { readonly type: string; readonly gzip: string }>> = ${JSON.stringify(page, null, 2)};\n`,
  );
}

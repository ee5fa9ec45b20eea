// Bundles what users run: `npm run bundle`. CommonJS, because it loads 20-35 ms faster than ESM.
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../generate/source.ts';

await build({
  entryPoints: [join(root, 'packages/orrery/src/main.ts')],
  outfile: join(root, 'packages/orrery/dist/orrery.cjs'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  conditions: ['source'],
  // Native code ships prebuilt inside these packages and cannot be bundled.
  external: ['lmdb', '@lydell/node-pty'],
  // What stays outside is loaded by require: the loader of ES modules alone takes 20 ms to start.
  supported: { 'dynamic-import': false },
  // Half the text to parse at each start. Names stay: they are in stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  legalComments: 'none',
  logLevel: 'warning',
});

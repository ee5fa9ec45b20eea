#!/usr/bin/env node
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { load } = require('./load.cjs');

const bundle = join(__dirname, '../dist/orrery.cjs');
if (!existsSync(bundle)) {
  process.stderr.write('orrery: the bundle is missing; run "npm run bundle" in the checkout\n');
  process.exit(1);
}
load(bundle, join(__dirname, '../dist/orrery.code-cache'));

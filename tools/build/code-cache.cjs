// `node code-cache.cjs <bundle> <cache> <empty directory>`: runs `orrery up` until it is ready and keeps what V8 compiled for it.
const { existsSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { load } = require('../../packages/orrery/bin/load.cjs');

const [, , bundle, cache, directory] = process.argv;
process.env.XDG_DATA_HOME = directory;
process.argv = [process.argv[0], bundle, 'up', '--port', '0', '--runtime', 'process'];
const script = load(bundle, cache);

const ready = join(directory, 'orrery/default/instance.json');
const poll = setInterval(() => {
  if (!existsSync(ready)) return;
  clearInterval(poll);
  writeFileSync(cache, script.createCachedData());
  process.emit('SIGTERM');
}, 50);

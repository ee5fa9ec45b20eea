/**
 * The program that runs first in a pod with Node: it checks the code's hash, unpacks it and becomes the program. It is text, because it
 * travels in a ConfigMap; it uses nothing but Node itself, from version 18 on.
 */
export const nodeBootstrap = String.raw`'use strict';
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const zlib = require('node:zlib');

const code = '/universe/code', stream = '/universe/stream/code', app = '/universe/app', config = '/universe/config';
const next = '/universe/stream/next', running = '/universe/stream/running';
const hash = process.env.UNIVERSE_CODE;
const fail = (message) => { process.stderr.write('universe: ' + message + '\n'); process.exit(70); };
const verified = (packed, expected = hash) => {
  const actual = createHash('sha256').update(packed).digest('hex');
  if (actual !== expected) fail('the code that arrived is not the code that was sent: SHA-256 ' + actual + ', expected ' + expected);
  return packed;
};

function read() {
  if (fs.existsSync(stream)) return verified(fs.readFileSync(stream));
  const parts = fs.readdirSync(code).filter((name) => name.startsWith('part-')).sort();
  return verified(Buffer.concat(parts.map((name) => fs.readFileSync(path.join(code, name)))));
}

function unpack(packed, folder) {
  const archive = zlib.brotliDecompressSync(packed);
  const text = (at, length) => { const field = archive.subarray(at, at + length); const end = field.indexOf(0); return field.subarray(0, end < 0 ? length : end).toString(); };
  let long;
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8), mode = parseInt(text(at + 100, 8), 8), type = text(at + 156, 1);
    const content = archive.subarray(at + 512, at + 512 + size);
    const name = long === undefined ? text(at, 100) : long;
    long = undefined;
    if (type === 'x') { const record = content.toString(); long = record.slice(record.indexOf('path=') + 5, -1); }
    else {
      const file = path.join(folder, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.rmSync(file, { force: true });
      fs.writeFileSync(file, content, { mode });
      fs.chmodSync(file, mode);
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

function linkConfig() {
  for (const line of (process.env.UNIVERSE_CONFIG || '').split('\n').filter(Boolean)) {
    const [, key, name] = /^([^=]*)=(.*)$/.exec(line);
    const file = path.resolve(app, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.rmSync(file, { force: true });
    fs.symlinkSync(path.join(config, key), file);
  }
}

// Where pods are plain processes, each has an address of its own on the loopback: listening everywhere would collide.
function listenOnOwnAddress() {
  const own = process.env.POD_IP;
  if (!/^127\./.test(own || '')) return;
  const everywhere = (host) => host === undefined || host === null || host === '0.0.0.0' || host === '::' || host === '';
  const listen = net.Server.prototype.listen;
  net.Server.prototype.listen = function (...args) {
    const [first, second] = args;
    if (first !== null && typeof first === 'object') { if (first.port !== undefined && everywhere(first.host)) args[0] = { ...first, host: own }; }
    else if (typeof first === 'number' || /^\d+$/.test(first)) {
      if (typeof second === 'string' ? everywhere(second) : true) args.splice(1, typeof second === 'string' ? 1 : 0, own);
    }
    return listen.apply(this, args);
  };
}

// The first process of a container ignores signals that it does not handle: end as any other program would.
function endBySignals() {
  for (const [name, number] of [['SIGTERM', 15], ['SIGINT', 2], ['SIGHUP', 1]])
    process.on(name, () => { if (process.listenerCount(name) === 1) process.exit(128 + number); });
}

function receive() {
  const poll = () => {
    if (!fs.existsSync(stream)) return setTimeout(poll, 50);
    verified(fs.readFileSync(stream));
  };
  process.on('SIGTERM', () => process.exit(143));
  poll();
}

// With a hash it is new code for a program that runs: stored is it when it runs.
function store(length, expected, entry) {
  const place = expected === undefined ? stream : next;
  const part = place + '.' + process.pid;
  const chunks = [];
  let received = 0;
  process.stdin.on('data', (chunk) => {
    chunks.push(chunk);
    received += chunk.length;
    if (received < length) return;
    const packed = verified(Buffer.concat(chunks), expected);
    fs.writeFileSync(part, expected === undefined ? packed : Buffer.concat([Buffer.from(JSON.stringify({ hash: expected, entry }) + '\n'), packed]));
    fs.renameSync(part, place);
    let polls = 0;
    const poll = () => {
      if (expected === undefined || (fs.existsSync(running) && fs.readFileSync(running, 'utf8') === expected)) return process.stdout.write('stored\n', () => process.exit(0));
      polls += 1;
      if (polls > 750) fail('the new code did not start in 15 s');
      setTimeout(poll, 20);
    };
    poll();
  });
}

// Runs the program as a child, and again with each new code. Its end is not the end of the pod: the next code may mend it.
function supervise() {
  let child, seen = '', changing = false, ending = false;
  const stateOfNext = () => { try { const { ino, mtimeMs } = fs.statSync(next); return ino + ' ' + mtimeMs; } catch { return ''; } };
  const run = () => {
    let id = hash, entry = process.env.UNIVERSE_ENTRY;
    seen = stateOfNext();
    if (seen === '') unpack(read(), app);
    else {
      const content = fs.readFileSync(next), end = content.indexOf(10);
      ({ hash: id, entry } = JSON.parse(content.subarray(0, end).toString()));
      unpack(verified(content.subarray(end + 1), id), app);
    }
    linkConfig();
    const env = { ...process.env, UNIVERSE_ENTRY: entry, UNIVERSE_RUNNING: id };
    const mine = require('node:child_process').spawn(process.execPath, [__filename, '--universe-start', ...process.argv.slice(2)], { stdio: 'inherit', env });
    child = mine;
    mine.once('exit', (code, signal) => {
      child = undefined;
      if (ending) process.exit(signal ? 143 : code);
      if (!changing) process.stderr.write('universe: the program ended (' + (signal || 'exit code ' + code) + '); it starts again when a file changes\n');
    });
  };
  const stop = (then) => {
    if (child === undefined) return then();
    const late = setTimeout((old) => old.kill('SIGKILL'), 1000, child);
    child.once('exit', () => { clearTimeout(late); then(); });
    child.kill('SIGTERM');
  };
  const look = () => {
    if (!ending && !changing && stateOfNext() !== seen) {
      changing = true;
      stop(() => { if (!ending) run(); changing = false; });
    }
    setTimeout(look, 50);
  };
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => { ending = true; if (child === undefined) process.exit(143); child.kill(name); });
  run();
  look();
}

function start(watched) {
  if (!watched) {
    unpack(read(), app);
    linkConfig();
  }
  process.chdir(app);
  const entry = path.join(app, process.env.UNIVERSE_ENTRY);
  process.argv.splice(0, watched ? 3 : 2, process.argv[0], entry);
  if (process.setSourceMapsEnabled) process.setSourceMapsEnabled(true);
  if (process.env.UNIVERSE_INSPECT_PORT) require('node:inspector').open(Number(process.env.UNIVERSE_INSPECT_PORT), /^127\./.test(process.env.POD_IP || '') ? process.env.POD_IP : '127.0.0.1');
  listenOnOwnAddress();
  endBySignals();
  if (watched) fs.writeFileSync(running, process.env.UNIVERSE_RUNNING);
  import(require('node:url').pathToFileURL(entry).href).catch((error) => { console.error(error); process.exit(1); });
}

const [, , verb, argument, expected, entry] = process.argv;
if (verb === '--universe-receive') receive();
else if (verb === '--universe-store') store(Number(argument), expected, entry);
else if (verb === '--universe-start') start(true);
else if (process.env.UNIVERSE_WATCHED) supervise();
else start(false);
`;

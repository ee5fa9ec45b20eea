import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '@orrery/base';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newLineSplitter, parseLogLine } from './cri-log.ts';
import { type LogOptions, readLogs } from './reader.ts';
import { readLogTail } from './tail.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'orrery-logs-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const plain: LogOptions = { follow: false, timestamps: false };
const line = (second: number, text: string, stream = 'stdout', tag = 'F'): string =>
  `2026-01-01T00:00:0${second}.000000000Z ${stream} ${tag} ${text}\n`;

async function read(path: string, options: LogOptions, running = async () => false): Promise<string> {
  const chunks: Buffer[] = [];
  const write = async (chunk: Buffer): Promise<void> => void chunks.push(chunk);
  await readLogs({ path, running, clock: realClock }, options, write, new AbortController().signal);
  return Buffer.concat(chunks).toString();
}

describe('readLogs', () => {
  const content = line(1, 'one') + line(2, 'two', 'stderr') + line(3, 'thr', 'stdout', 'P') + line(3, 'ee') + line(4, '') + line(5, 'five');
  const cases: readonly (readonly [string, Partial<LogOptions>, string])[] = [
    ['everything', {}, 'one\ntwo\nthree\n\nfive\n'],
    [
      'timestamps, not within a line',
      { timestamps: true, tailLines: 4 },
      '2026-01-01T00:00:03.000000000Z three\n2026-01-01T00:00:04.000000000Z \n2026-01-01T00:00:05.000000000Z five\n',
    ],
    ['tail', { tailLines: 2 }, '\nfive\n'],
    ['tail of none', { tailLines: 0 }, ''],
    ['tail of more than there is', { tailLines: 100 }, 'one\ntwo\nthree\n\nfive\n'],
    ['since', { sinceMs: Date.UTC(2026, 0, 1, 0, 0, 4) }, '\nfive\n'],
    ['limit', { limitBytes: 5 }, 'one\nt'],
    ['one stream', { stream: 'stderr' }, 'two\n'],
  ];
  for (const [name, options, want] of cases) {
    test(name, async () => {
      const path = join(directory, '0.log');
      await writeFile(path, content);
      expect(await read(path, { ...plain, ...options })).toBe(want);
    });
  }

  test('follow sees what is written later, across a rotation, and ends with the container', async () => {
    const path = join(directory, '0.log');
    await writeFile(path, line(1, 'a'));
    let alive = true;
    const done = read(path, { ...plain, follow: true }, async () => alive);
    await appendFile(path, line(2, 'b'));
    await realClock.sleep(20);
    await rename(path, `${path}.1`);
    await writeFile(path, line(3, 'c'));
    await realClock.sleep(20);
    await appendFile(path, line(4, 'd'));
    alive = false;
    expect(await done).toBe('a\nb\nc\nd\n');
  });
});

test('readLogTail gives the content of the last lines', async () => {
  const path = join(directory, '0.log');
  await writeFile(path, line(1, 'one') + line(2, 'two') + line(3, 'three'));
  expect(await readLogTail(path, { linesMax: 2, bytesMax: 100 })).toBe('two\nthree\n');
  expect(await readLogTail(path, { linesMax: 2, bytesMax: 6 })).toBe('three\n');
});

test('a line that is no log line is skipped', () => {
  for (const text of ['', 'x', '2026 stdout', '2026 stdin F x\n']) expect(parseLogLine(Buffer.from(text))).toBeUndefined();
});

test('lines come out whole however the chunks are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 20 })), fc.array(fc.integer({ min: 1, max: 7 })), (texts, cuts) => {
      const data = Buffer.from(texts.map((text) => `${text.replaceAll('\n', ' ')}\n`).join(''));
      const splitter = newLineSplitter();
      const lines: Buffer[] = [];
      for (let at = 0, turn = 0; at < data.length; turn += 1) {
        const size = cuts[turn % Math.max(1, cuts.length)] ?? 3;
        lines.push(...splitter.push(data.subarray(at, at + size)));
        at += size;
      }
      expect(Buffer.concat(lines).equals(data)).toBe(true);
      expect(splitter.pending).toBe(0);
    }),
  );
});

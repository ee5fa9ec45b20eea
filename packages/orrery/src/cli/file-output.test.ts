import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileOutput } from './file-output.ts';

describe('fileOutput', () => {
  test('writes in order', () => {
    const directory = mkdtempSync(join(tmpdir(), 'orrery-output-'));
    const fd = openSync(join(directory, 'out'), 'w');
    const failures: unknown[] = [];
    const write = fileOutput(fd, (err) => failures.push(err));
    write('one\n');
    write(`${'ä'.repeat(100_000)}\n`);
    closeSync(fd);
    expect(readFileSync(join(directory, 'out'), 'utf8')).toBe(`one\n${'ä'.repeat(100_000)}\n`);
    expect(failures).toEqual([]);
    rmSync(directory, { recursive: true });
  });

  test('tells of a full disk, and goes on', () => {
    const full = openSync('/dev/full', 'w');
    const failures: unknown[] = [];
    const write = fileOutput(full, (err) => failures.push(err.code));
    write('one');
    write('two');
    closeSync(full);
    expect(failures).toEqual(['ENOSPC', 'ENOSPC']);
  });
});

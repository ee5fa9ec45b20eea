import { rename } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Kit, logLines, rawLogLines } from './kit.ts';

export function describeLogs(kit: Kit): void {
  describe('logs', () => {
    test('output stands in the CRI log with its stream, an unfinished last line too', async () => {
      const { containerId, log } = await kit.run(['sh', '-c', 'echo out; echo err >&2; printf unfinished']);
      await kit.exitOf(containerId);
      expect([...(await logLines(log))].sort()).toEqual(['stderr F err', 'stdout F out', 'stdout F unfinished']);
    });

    test('times are RFC 3339 with nanoseconds', async () => {
      const { containerId, log } = await kit.run(['echo', 'timed']);
      await kit.exitOf(containerId);
      const { readFile } = await import('node:fs/promises');
      expect(await readFile(log, 'utf8')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(Z|[+-]\d\d:\d\d) stdout F timed\n$/);
    });

    test('a long line is split into parts', async () => {
      const { containerId, log } = await kit.run(['sh', '-c', 'head -c 40000 /dev/zero | tr "\\0" x; echo']);
      await kit.exitOf(containerId);
      const tags = (await rawLogLines(log)).map((line) => line.split(' ')[1]);
      expect(tags.length).toBeGreaterThan(1);
      expect(tags).toEqual([...tags.slice(1).fill('P'), 'F']);
      const lines = await logLines(log);
      expect(lines.map((line) => line.split(' ')[2] ?? '').join('')).toHaveLength(40_000);
    });

    test('a rotated log goes on in a new file and loses nothing', async () => {
      const { containerId, log } = await kit.run(['sh', '-c', 'echo before; read x; echo after'], { stdin: true });
      await kit.logged(log, 'before');
      await rename(log, `${log}.1`);
      await kit.runtime.reopenContainerLog({ containerId });
      const stdin = PassThrough.from([Buffer.from('go\n')]);
      await kit.runtime.attach({ containerId, tty: false }, { stdin }, new AbortController().signal);
      await kit.exitOf(containerId);
      expect(await logLines(`${log}.1`)).toEqual(['stdout F before']);
      expect(await logLines(log)).toEqual(['stdout F after']);
    });
  });
}

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '@orrery/base';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Helper, newHelper } from './helper.ts';
import { shellQuote } from './process.ts';

const path = process.env['PATH'] ?? '';

describe('helper', () => {
  let helper: Helper;
  let directory: string;
  const file = (name: string): string => join(directory, name);
  beforeEach(async () => {
    helper = newHelper(path);
    directory = await mkdtemp(join(tmpdir(), 'orrery-helper-'));
  });
  afterEach(async () => {
    helper.close();
    await rm(directory, { recursive: true, force: true });
  });
  /** Of the kept shell: the parent of what it runs. */
  const shellPid = async (): Promise<number> => Number((await helper.run('echo $$')).text);

  test.each([
    ['echo out; echo err >&2', { code: 0, text: 'out\nerr' }],
    ['echo why; exit 3', { code: 3, text: 'why' }],
    ['cat', { code: 0, text: '' }],
    ['kill -9 $(sh -c "echo \\$PPID")', { code: 137, text: '' }],
    ['no-such-program 2>/dev/null', { code: 127, text: '' }],
    ['cd /no/such/folder 2>/dev/null || exit\necho not seen', { code: 2, text: '' }],
    [`printf '%s' "\\\\ 'quoted' %s %d"`, { code: 0, text: `\\ 'quoted' %s %d` }],
  ])('%s', async (script, result) => {
    expect(await helper.run(script)).toEqual(result);
  });

  test('one does not wait for another, and all are answered', async () => {
    const slow = helper.run(`while [ ! -e ${shellQuote(file('go'))} ]; do sleep 0.01; done; echo slow`);
    const many = await Promise.all(Array.from({ length: 50 }, (_, index) => helper.run(`printf '%01000d' ${index}`)));
    expect(many.map(({ text }) => Number(text))).toEqual(Array.from({ length: 50 }, (_, index) => index));
    await helper.run(`: >${shellQuote(file('go'))}`);
    expect((await slow).text).toBe('slow');
  });

  test('what is said is cut', async () => {
    const { text } = await helper.run(`printf '%010000d' 7`);
    expect(text).toBe('0'.repeat(3900));
  });

  test('every word arrives as it was', async () => {
    const word = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^['"$`\\\n;&|<>(){}!*?~# -]*$/));
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          word.filter((text) => !/[\0\p{Surrogate}]/u.test(text)),
          { maxLength: 5 },
        ),
        async (words) => {
          // A mark at the end: what ends a line there would be cut off.
          const { text } = await helper.run(['printf', '%s|', ...words, '.'].map(shellQuote).join(' '));
          expect(text).toBe([...words, '.'].map((each) => `${each}|`).join(''));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a NUL byte is refused', async () => {
    await expect(helper.run(shellQuote('a\0b'))).rejects.toThrow('NUL');
  });

  test('a shell that was killed takes with it what it did, and is replaced', async () => {
    const pid = await shellPid();
    const pidFile = file('pid');
    const lost = helper.run(`sh -c 'echo $$ >${pidFile}; exec sleep 1000'`);
    const told = expect(lost).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const running = (): number => {
      try {
        return Number(readFileSync(pidFile, 'utf8'));
      } catch {
        return 0;
      }
    };
    while (running() === 0) await realClock.sleep(5);
    process.kill(pid, 'SIGKILL');
    await told;
    const state = (): string => {
      try {
        return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${running()}/status`, 'utf8'))?.[1] ?? '';
      } catch {
        return 'gone';
      }
    };
    while (!['Z', 'X', 'gone'].includes(state())) await realClock.sleep(5);
    expect((await helper.run('echo again')).text).toBe('again');
    expect(await shellPid()).not.toBe(pid);
  });

  test('it leaves no zombies, and ends with its owner', async () => {
    const pid = await shellPid();
    await Promise.all(Array.from({ length: 20 }, () => helper.run('true')));
    const children = (): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    while (children() !== '') await realClock.sleep(5);
    helper.close();
    const exists = (): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    while (exists()) await realClock.sleep(5);
  });

  test('an idle one does not keep the process running', async () => {
    const script = `import { newHelper } from ${JSON.stringify(new URL('./helper.ts', import.meta.url).href)};
      const { text } = await newHelper(process.env.PATH).run('echo done'); console.log(text);`;
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    expect(output).toBe('done\n');
  });
});

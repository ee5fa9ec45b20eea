import { spawn } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import type { Line } from '../line.ts';
import { childEnvironment, endProcess } from '../processes.ts';
import { orreryUp } from '../support/orrery-up.ts';
import { nowMs, sleep } from '../support/timing.ts';

const program = `import { createServer } from 'node:http';
import { universe } from '@orrery/universe';
import { answer } from './answer.mjs';
await universe({ name: 'timed', ports: [8080] });
createServer((request, response) => response.end(answer)).listen(8080);
`;
const SAVES = 5;
const POLL_MS = 5;
const STOP_MS = 20_000;

/** A flag brings a program into the cluster; a saved file runs there in a second. */
export const universeLine: Line = {
  name: 'universe',
  what: 'a program that deploys itself: `node app.js --kubernetes --watch`',
  method:
    'one pod by the process driver on a cluster that is up; from the start of the launcher to the first answer by the printed URL, then from the write of a file to the first answer of the new code, each over a new connection',
  figures: [
    { name: 'first answer', unit: 'ms' },
    { name: 'save to new code', unit: 'ms', reach: { atMost: 1000 } },
  ],
  runs: { full: 5, quick: 2 },
  timeoutMs: 90_000,
  async measure({ directory, signal }) {
    await using orrery = await orreryUp(directory, signal, ['--runtime=process']);
    const folder = join(directory, 'program');
    const save = (text: string): Promise<void> => writeFile(join(folder, 'answer.mjs'), `export const answer = '${text}';\n`);
    await mkdir(join(folder, 'node_modules/@orrery'), { recursive: true });
    await symlink(join(process.cwd(), 'packages/universe'), join(folder, 'node_modules/@orrery/universe'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(join(folder, 'app.mjs'), program);
    await save('first');
    const startMs = nowMs();
    const launcher = spawn(process.execPath, [join(folder, 'app.mjs'), '--kubernetes', '--watch', '--port=0:8080'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: childEnvironment({ KUBECONFIG: orrery.kubeconfig, HOME: directory }),
    });
    let said = '';
    launcher.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const until = async (answer: string): Promise<void> => {
      for (;;) {
        const url = /^http:\/\/localhost:\d+$/m.exec(said)?.[0];
        if (url !== undefined && (await ask(url)) === answer) return;
        if (launcher.exitCode !== null) throw new Error(`the launcher ended with ${launcher.exitCode}:\n${said}`);
        signal.throwIfAborted();
        await sleep(POLL_MS);
      }
    };
    try {
      await until('first');
      const first = nowMs() - startMs;
      const saves: number[] = [];
      for (let i = 0; i < SAVES; i += 1) {
        const savedMs = nowMs();
        await save(`change ${i}`);
        await until(`change ${i}`);
        saves.push(nowMs() - savedMs);
      }
      return { 'first answer': [first], 'save to new code': saves };
    } finally {
      await endProcess(launcher, STOP_MS);
    }
  },
};

/** The answer, by a connection of its own; undefined where there is none. */
function ask(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve(text)).once('error', () => resolve(undefined));
    });
    request.once('timeout', () => request.destroy()).once('error', () => resolve(undefined));
  });
}

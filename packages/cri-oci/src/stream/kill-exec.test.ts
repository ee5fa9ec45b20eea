import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newVirtualClock, realClock, sealedStdio } from '@orrery/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { killExec } from './kill-exec.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'orrery-kill-exec-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function sleeper(): { pid: number; ended: Promise<string | null> } {
  const child = spawn('sleep', ['1000'], { stdio: sealedStdio(['ignore', 'ignore', 'ignore']) });
  return { pid: child.pid ?? 0, ended: new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal))) };
}

test('a command that the runtime has yet to start is killed when it is there; the runtime is not', async () => {
  const [runtime, command] = [sleeper(), sleeper()];
  const pidFile = join(directory, 'pid');
  const over = new AbortController();
  const killing = killExec({ pidFile, runtimePid: runtime.pid, clock: realClock, over: over.signal });
  await realClock.sleep(50);
  await writeFile(pidFile, ''); // As the runtime does first.
  await realClock.sleep(50);
  await writeFile(pidFile, `${command.pid}`);
  expect(await command.ended).toBe('SIGKILL');
  over.abort();
  await killing;
  expect(() => process.kill(runtime.pid, 0)).not.toThrow();
  process.kill(runtime.pid, 'SIGKILL');
  await runtime.ended;
});

test('a runtime that never comes to the command is killed itself', async () => {
  const runtime = sleeper();
  const clock = newVirtualClock();
  const killing = killExec({ pidFile: join(directory, 'none'), runtimePid: runtime.pid, clock, over: new AbortController().signal });
  const stop = new AbortController();
  void (async () => {
    while (!stop.signal.aborted) {
      await realClock.sleep(1);
      await clock.advance(1000);
    }
  })();
  expect(await runtime.ended).toBe('SIGKILL');
  await killing;
  stop.abort();
});

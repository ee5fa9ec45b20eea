import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, newMutex } from '@orrery/base';
import { isErrno, temporaryName } from './files.ts';
import { isAlive, ownIdentity, type ProcessIdentity } from './process-identity.ts';

/** One at a time among all processes that use a directory. A holder that dies, dies with its turn. */
export interface StoreLock {
  run<T>(fn: () => T | Promise<T>): Promise<T>;
}

const retryMs = 10;

/**
 * Turns are files with rising numbers; the highest tells who holds the lock, or that its holder has left. Who creates the next number
 * (`link` fails when it exists) has the turn, so two that see one holder dead cannot both follow it.
 */
export function newStoreLock(directory: string, clock: Clock): StoreLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const inProcess = newMutex();

  const turns = (): number[] =>
    readdirSync(directory)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => b - a);

  function isFree(turn: number): boolean {
    try {
      const text = readFileSync(join(directory, String(turn)), 'utf8');
      return text === '' || !isAlive(JSON.parse(text) as ProcessIdentity);
    } catch (err) {
      if (isErrno(err, 'ENOENT')) return false; // A later turn swept it: look again.
      throw err;
    }
  }

  /** The number of the turn that is now ours, or undefined while another holds the lock. */
  function tryTake(): number | undefined {
    const last = turns()[0] ?? 0;
    if (last > 0 && !isFree(last)) return undefined;
    const mine = last + 1;
    const draft = temporaryName(join(directory, 'draft'));
    writeFileSync(draft, JSON.stringify(ownIdentity()));
    try {
      linkSync(draft, join(directory, String(mine)));
    } catch (err) {
      if (isErrno(err, 'EEXIST')) return undefined;
      throw err;
    } finally {
      unlinkSync(draft);
    }
    if (turns()[0] === mine) return mine;
    unlinkSync(join(directory, String(mine))); // Our look was old: others came and went between.
    return undefined;
  }

  function release(mine: number): void {
    const draft = temporaryName(join(directory, 'draft'));
    writeFileSync(draft, '');
    renameSync(draft, join(directory, String(mine)));
  }

  function sweep(mine: number): void {
    for (const turn of turns()) if (turn < mine) rmSync(join(directory, String(turn)), { force: true });
  }

  return {
    run: (fn) =>
      inProcess.run(async () => {
        let mine = tryTake();
        while (mine === undefined) {
          await clock.sleep(retryMs);
          mine = tryTake();
        }
        try {
          sweep(mine);
          return await fn();
        } finally {
          release(mine);
        }
      }),
  };
}

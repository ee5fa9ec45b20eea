import { type FSWatcher, watch } from 'node:fs';
import type { Clock, Timer } from '@orrery/base';

export interface ExitWatch {
  close(): void;
}

const CHECK_MS = 2000;
const CHECK_WITHOUT_EVENTS_MS = 100; // No inotify instance is left: then the ends of containers are looked for.

/**
 * Tells when an exit code was written to `directory`, and every {@link CHECK_MS} that it is time to look for monitors that died without
 * writing one.
 */
export function watchExits(directory: string, clock: Clock, onExit: (containerId: string) => void, onCheck: () => void): ExitWatch {
  let timer: Timer | undefined;
  let watcher: FSWatcher | undefined;
  const schedule = (delayMs: number): void => {
    timer = clock.after(
      delayMs,
      () => {
        onCheck();
        schedule(watcher === undefined ? CHECK_WITHOUT_EVENTS_MS : CHECK_MS);
      },
      { background: true },
    );
  };
  try {
    watcher = watch(directory, { persistent: false }, (_event, name) => {
      // Written to `<id>.<random>` and renamed.
      if (name !== null && !name.includes('.')) onExit(name);
    });
    watcher.on('error', () => {
      watcher?.close();
      watcher = undefined;
    });
  } catch {
    watcher = undefined;
  }
  schedule(watcher === undefined ? CHECK_WITHOUT_EVENTS_MS : CHECK_MS);
  return {
    close() {
      timer?.cancel();
      watcher?.close();
    },
  };
}

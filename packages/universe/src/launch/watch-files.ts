import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type Clock, deferred } from '@orrery/base';

export interface WatchFilesOptions {
  /** Absolute paths. */
  readonly files: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A file was saved. Not called again before it is done. @returns the files to watch from then on */
  readonly onChange: (path: string) => Promise<readonly string[]>;
  /** A folder cannot be watched. */
  readonly onProblem: (message: string) => void;
}

/** Editors save in several steps. */
const SETTLE_MS = 30;

/** Calls `onChange` when one of the files is written, replaced or made anew; resolves when `signal` aborts. */
export async function watchFiles({ files, clock, signal, onChange, onProblem }: WatchFilesOptions): Promise<void> {
  const folders = new Map<string, FSWatcher>();
  let watched: ReadonlySet<string> = new Set();
  let changed: string | undefined;
  let wake = deferred<void>();

  const open = (folder: string): FSWatcher => {
    // Of the folder, not the file: whoever saves by renaming puts another file there.
    const watcher = watch(folder, (_, name) => {
      const path = [...watched].find((each) => dirname(each) === folder && (name === null || basename(each) === name));
      if (path === undefined) return;
      changed = path;
      wake.resolve();
    });
    watcher.on('error', (error) => onProblem(`${folder} is no longer watched: ${error.message}`));
    return watcher;
  };
  const follow = (paths: readonly string[]): void => {
    watched = new Set(paths);
    const wanted = new Set(paths.map((path) => dirname(path)));
    for (const [folder, watcher] of folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      folders.delete(folder);
    }
    for (const folder of wanted) if (!folders.has(folder)) folders.set(folder, open(folder));
  };

  const onAbort = (): void => wake.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    follow(files);
    while (!signal.aborted) {
      await wake.promise;
      await clock.sleep(SETTLE_MS, signal).catch(() => undefined);
      if (signal.aborted || changed === undefined) continue;
      const path = changed;
      changed = undefined;
      wake = deferred();
      follow(await onChange(path));
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    for (const watcher of folders.values()) watcher.close();
  }
}

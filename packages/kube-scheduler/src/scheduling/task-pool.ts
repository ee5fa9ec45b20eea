/** Runs asynchronous work side by side, so much at a time, in the order in which it was given. */
export interface TaskPool {
  /** Never waits. @param task - Must not reject. */
  run(task: () => Promise<void>): void;
  /** Resolves when nothing runs or waits. */
  idle(): Promise<void>;
  /** Drops what waits. */
  clear(): void;
}

export function newTaskPool(concurrencyMax: number): TaskPool {
  let waiting: (() => Promise<void>)[] = [];
  let head = 0; // Invariant: waiting[head..] wait.
  let running = 0;
  const idlers: (() => void)[] = [];

  const begin = (task: () => Promise<void>): void => {
    running += 1;
    void task().finally(() => {
      running -= 1;
      const next = waiting[head];
      if (next !== undefined) {
        head += 1;
        if (head === waiting.length || head > 1024) {
          waiting = waiting.slice(head);
          head = 0;
        }
        begin(next);
      } else if (running === 0) {
        for (const resolve of idlers.splice(0)) resolve();
      }
    });
  };

  return {
    run(task) {
      if (running < concurrencyMax) begin(task);
      else waiting.push(task);
    },
    idle: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    clear() {
      waiting = [];
      head = 0;
    },
  };
}

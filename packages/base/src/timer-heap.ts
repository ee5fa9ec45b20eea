/** A timer that waits: fires at `dueMs`; of two due together, the one made first (`order`). */
export interface PendingTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

const isBefore = (a: PendingTimer, b: PendingTimer): boolean => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);

/** Binary heap of timers, earliest first. */
export interface TimerHeap {
  push(timer: PendingTimer): void;
  /** The earliest that is not cancelled. Drops the cancelled ones before it. */
  peek(): PendingTimer | undefined;
  pop(): PendingTimer | undefined;
}

export function newTimerHeap(): TimerHeap {
  const heap: PendingTimer[] = []; // Invariant: no entry is before its parent at (index - 1) >> 1.
  const at = (index: number): PendingTimer => heap[index] as PendingTimer;

  const siftUp = (start: number, timer: PendingTimer): void => {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timer, at(parent))) break;
      heap[index] = at(parent);
      index = parent;
    }
    heap[index] = timer;
  };

  const siftDown = (timer: PendingTimer): void => {
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(at(child + 1), at(child))) child += 1;
      if (!isBefore(at(child), timer)) break;
      heap[index] = at(child);
      index = child;
    }
    heap[index] = timer;
  };

  const removeFirst = (): PendingTimer | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) siftDown(last);
    return first;
  };

  const peek = (): PendingTimer | undefined => {
    while (heap[0]?.cancelled === true) removeFirst();
    return heap[0];
  };

  return {
    push: (timer) => siftUp(heap.length, timer),
    peek,
    pop: () => (peek() === undefined ? undefined : removeFirst()),
  };
}

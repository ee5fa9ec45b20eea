import type { Clock, Timer } from '@orrery/base';
import type { ClusterState, Hello, Sample } from '../protocol.ts';
import type { ViewStore } from './view-store.ts';

/** Where a viewer's messages go. */
export interface Sink {
  /** Takes one line of JSON without its newline. False: no more until `onDrain`'s function is called. */
  write(json: string): boolean;
  onDrain(fn: () => void): void;
}

/** Changes are gathered for so long: eyes see no difference, and many changes of one pod become one. */
export const BATCH_MS = 100;
/** A viewer that is behind by more changes gets a fresh picture instead. */
export const PENDING_MAX = 2_000;
/** Views in one message: a page reads and draws such a part in a few milliseconds. */
export const PART_SIZE = 1_000;

export interface ViewerOptions {
  readonly store: ViewStore;
  readonly clock: Clock;
  readonly sink: Sink;
  readonly hello: Hello;
  /** Samples of before. @default none */
  readonly past?: readonly Sample[];
}

/**
 * One page that looks. What it has not been told is a set of ids, never a queue of messages: a change that comes while another of the same
 * object waits costs nothing, and what a slow page costs is bounded by `PENDING_MAX`.
 */
export interface Viewer {
  /** Ids that wait to be told; for tests. */
  readonly pending: number;
  sample(sample: Sample): void;
  state(cluster: number, state: ClusterState): void;
  close(): void;
}

export function newViewer({ store, clock, sink, hello, past = [] }: ViewerOptions): Viewer {
  const pending = new Set<string>();
  /** Newest of each cluster; an older one that was not sent yet is of no interest. */
  const samples = new Map<number, Sample>();
  const states = new Map<number, ClusterState>();
  /** What is left of a whole picture; undefined when none is being sent. */
  let picture: Iterator<string> | undefined;
  let timer: Timer | undefined;
  let blocked = false;
  /** True when so much was missed that only a whole picture helps. */
  let stale = false;
  let closed = false;

  const send = (json: string): void => {
    if (!sink.write(json)) blocked = true;
  };
  const batch = (flags: string, changed: readonly string[], gone: readonly string[]): string =>
    `{"type":"batch","nowMs":${clock.now()},${flags}"changed":[${changed.join(',')}],"gone":${JSON.stringify(gone)}}`;

  /** Copies the ids: views that come later are told as changes, those that go are skipped. */
  const startPicture = (): void => {
    pending.clear();
    stale = false;
    picture = [...store.ids()][Symbol.iterator]();
    sendPart('"reset":true,');
  };
  const sendPart = (flags: string): void => {
    const changed: string[] = [];
    while (picture !== undefined && changed.length < PART_SIZE) {
      const { value, done } = picture.next();
      if (done === true) picture = undefined;
      else {
        pending.delete(value);
        const json = store.json(value);
        if (json !== undefined) changed.push(json);
      }
    }
    send(batch(picture === undefined ? `${flags}"whole":true,` : flags, changed, []));
  };
  const sendChanges = (): void => {
    const changed: string[] = [];
    const gone: string[] = [];
    for (const id of pending) {
      if (changed.length + gone.length === PART_SIZE) break;
      pending.delete(id);
      const json = store.json(id);
      if (json === undefined) gone.push(id);
      else changed.push(json);
    }
    send(batch('', changed, gone));
  };

  const flush = (): void => {
    timer = undefined;
    if (closed) return;
    for (const [cluster, state] of states) send(JSON.stringify({ type: 'state', cluster, state }));
    states.clear();
    while (picture !== undefined && !blocked) sendPart('');
    while (picture === undefined && !blocked && pending.size > 0) sendChanges();
    for (const [cluster, sample] of samples) {
      if (blocked || picture !== undefined) break;
      samples.delete(cluster);
      send(JSON.stringify(sample));
    }
  };
  const soon = (): void => {
    if (!closed && !blocked) timer ??= clock.after(BATCH_MS, flush, { background: true });
  };

  const unsubscribe = store.subscribe({
    changed(id) {
      if (stale) return;
      pending.add(id);
      if (pending.size > PENDING_MAX && blocked) {
        pending.clear();
        stale = true;
      }
      soon();
    },
  });
  sink.onDrain(() => {
    blocked = false;
    if (stale) startPicture();
    timer?.cancel();
    flush();
  });
  send(JSON.stringify(hello));
  for (const sample of past) send(JSON.stringify(sample));
  startPicture();
  soon();

  return {
    get pending() {
      return pending.size;
    },
    sample(sample) {
      samples.set(sample.cluster, sample);
      soon();
    },
    state(cluster, state) {
      states.set(cluster, state);
      soon();
    },
    close() {
      closed = true;
      timer?.cancel();
      unsubscribe();
    },
  };
}

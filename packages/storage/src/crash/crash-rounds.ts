import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Random, realClock } from '@orrery/base';
import { openLmdbStore } from '../engines/lmdb/lmdb-store.ts';
import type { Store, StoreEvent } from '../store.ts';
import { decodeReports, keyOf, type Report } from './protocol.ts';

export interface CrashRoundsOptions {
  /** Empty or missing at the start; keeps the data of all rounds. */
  readonly directory: string;
  /** Times that the writing process is killed. */
  readonly rounds: number;
  readonly writers: number;
  /** Revisions that the process keeps when it compacts, every 50 ms; 0: it never compacts. */
  readonly keepRevisions: number;
  /** The process is killed up to this many milliseconds after it opened the store. */
  readonly killWithinMs: number;
  /** Chooses the moments of the kills. */
  readonly random: Random;
  /** Command, for a round (0-based), under which the process runs and that kills it instead. @default none */
  readonly runUnder?: (round: number) => readonly string[];
}

/** What was seen over all rounds: shows that a run was worth something. */
export interface CrashRoundsResult {
  readonly acknowledged: number;
  readonly revision: number;
  readonly compactedRevision: number;
  readonly eventsWatched: number;
}

type Ack = Extract<Report, { type: 'ack' }>;

const writerMain = fileURLToPath(new URL('main.ts', import.meta.url));

/** Everything the process said until it was killed, `killAfterMs` after it opened the store. */
function runUntilKilled(options: CrashRoundsOptions, round: number): Promise<Report[]> {
  const node = [process.execPath, '--conditions=source', '--import', 'tsx', writerMain];
  const args = [options.directory, `${options.writers}`, `${options.keepRevisions}`];
  const [command = '', ...rest] = [...(options.runUnder?.(round) ?? []), ...node, ...args];
  const child = spawn(command, rest);
  const killAfterMs = options.random.integer(options.killWithinMs);
  return new Promise((resolve, reject) => {
    let output = '';
    let errors = '';
    let armed = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (armed || options.runUnder !== undefined) return;
      armed = true;
      realClock.after(killAfterMs, () => child.kill('SIGKILL'));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(decodeReports(output));
      else reject(new Error(`the writing process ended by itself (${code ?? signal}): ${errors}`));
    });
  });
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`after a crash: ${what}`);
}

async function readFrom(store: Store, fromRevision: number): Promise<StoreEvent[]> {
  const events: StoreEvent[] = [];
  if (fromRevision > store.revision) return events;
  const range = { start: '\u0001', end: '\u{10ffff}', fromRevision };
  for await (const batch of store.watch(range, new AbortController().signal)) {
    events.push(...batch.events);
    if (batch.revision >= store.revision) break;
  }
  return events;
}

const numberIn = (value: Uint8Array | undefined): number => Number(new TextDecoder().decode(value).trim());

/** Every acknowledged write is where it was acknowledged; those that a compaction has forgotten were at least not lost. */
async function checkAcks(store: Store, acks: readonly Ack[]): Promise<void> {
  for (const { writer, value, revision } of acks) {
    check(revision <= store.revision, `revision ${revision} was acknowledged, the store is at ${store.revision}`);
    const isKept = revision >= store.compactedRevision;
    const entry = await store.get(keyOf(writer), isKept ? revision : 0);
    const found = numberIn(entry?.value);
    check(
      isKept ? found === value && entry?.modRevision === revision : found >= value,
      `writer ${writer} lost ${value} at ${revision}: ${found}`,
    );
  }
}

/** Two events, of the two keys of a transaction, for each revision, without a gap. */
function checkEvents(events: readonly StoreEvent[], first: number): void {
  for (const [index, event] of events.entries()) {
    check(event.revision === first + (index >> 1), `event ${index} has revision ${event.revision}, not ${first + (index >> 1)}`);
  }
}

/** What a watcher outside knows across the crashes, and the checks that need to remember. */
function newWitness() {
  const acked = new Map<number, string>(); // Every revision that was ever acknowledged, with the write.
  let revision = 1; // The newest durable one seen.
  let watched = 1; // Everything up to here was told to the watcher.
  let events = 0;

  const remember = (acks: readonly Ack[]): void => {
    for (const ack of acks) {
      check(!acked.has(ack.revision), `revision ${ack.revision} was given twice`);
      check(ack.revision > revision, `revision ${ack.revision} was given again: the store had been at ${revision}`);
      acked.set(ack.revision, `${ack.writer}=${ack.value}`);
    }
  };

  const resumeWatch = async (store: Store): Promise<void> => {
    const from = Math.max(watched + 1, store.compactedRevision); // A real watcher lists again when it fell below.
    const missed = await readFrom(store, from);
    checkEvents(missed, from);
    for (const event of missed) {
      const write = acked.get(event.revision);
      const isOwn = write !== undefined && event.key === keyOf(Number(write.split('=')[0]));
      if (isOwn) check(write.endsWith(`=${numberIn(event.entry.value)}`), `the watch tells another write at revision ${event.revision}`);
    }
    events += missed.length;
    watched = store.revision;
  };

  return {
    async inspect(store: Store, reports: readonly Report[]): Promise<void> {
      const opened = reports.find((report) => report.type === 'open');
      check(opened === undefined || opened.revision >= revision, `reopened at ${opened?.revision} after ${revision}`);
      check(store.revision >= revision, `the revision went back from ${revision} to ${store.revision}`);
      const acks = reports.filter((report) => report.type === 'ack');
      remember(acks);
      await checkAcks(store, acks);
      await resumeWatch(store);
      revision = store.revision;
    },
    result: (store: Store): CrashRoundsResult => ({
      acknowledged: acked.size,
      revision: store.revision,
      compactedRevision: store.compactedRevision,
      eventsWatched: events,
    }),
  };
}

/**
 * Kills a process with SIGKILL while its writers write to an LMDB store, again and again on the same data, and checks after each kill:
 * no acknowledged write is lost, no revision is given twice or goes back, and a watch resumes without a gap or a repeat.
 * @throws {Error} that says what was broken.
 */
export async function crashRounds(options: CrashRoundsOptions): Promise<CrashRoundsResult> {
  const witness = newWitness();
  let result: CrashRoundsResult | undefined;
  for (let round = 0; round < options.rounds; round += 1) {
    const reports = await runUntilKilled(options, round);
    const store = await openLmdbStore({ directory: options.directory, clock: realClock });
    try {
      await witness.inspect(store, reports);
      result = witness.result(store);
    } finally {
      await store.close();
    }
  }
  return result ?? { acknowledged: 0, revision: 1, compactedRevision: 0, eventsWatched: 0 };
}

import { writeSync } from 'node:fs';
import { realClock } from '@orrery/base';
import { openLmdbStore } from '../engines/lmdb/lmdb-store.ts';
import type { Store } from '../store.ts';
import { encodeReport, keyOf, type Report, sharedKeyOf } from './protocol.ts';

/*
 * A process made to be killed: opens the store in argv[2], starts argv[3] writers that count up their keys for ever, compacts now and then,
 * and says on its standard output what was acknowledged.
 */
const encoder = new TextEncoder();
const report = (what: Report): void => void writeSync(1, encodeReport(what)); // Before anything else happens.

async function countUp(store: Store, writer: number): Promise<void> {
  const key = keyOf(writer);
  const current = await store.get(key);
  let modRevision = current?.modRevision ?? 0;
  let value = current === undefined ? 0 : Number(new TextDecoder().decode(current.value).trim());
  for (;;) {
    value += 1;
    const bytes = encoder.encode(`${value}`.padEnd(200 + (value % 7) * 100));
    const result = await store.transact(
      [{ key, modRevision }],
      [
        { type: 'put', key, value: bytes },
        { type: 'put', key: sharedKeyOf(writer), value: bytes },
      ],
    );
    if (!result.succeeded) throw new Error(`the key of writer ${writer} was written by somebody else`);
    modRevision = result.revision;
    report({ type: 'ack', writer, value, revision: result.revision });
  }
}

async function compactNowAndThen(store: Store, keep: number): Promise<void> {
  for (;;) {
    await realClock.sleep(50);
    const target = store.revision - keep;
    if (target > store.compactedRevision) await store.compact(target);
  }
}

const [directory = '', writers = '1', keep = '0'] = process.argv.slice(2);
const store = await openLmdbStore({ directory, clock: realClock });
report({ type: 'open', revision: store.revision });
const work = Array.from({ length: Number(writers) }, (_, writer) => countUp(store, writer));
if (Number(keep) > 0) work.push(compactNowAndThen(store, Number(keep)));
await Promise.all(work);

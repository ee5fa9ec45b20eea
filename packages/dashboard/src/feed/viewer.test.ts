import { newVirtualClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import type { Batch, Message, NodeView } from '../protocol.ts';
import { newViewStore } from './view-store.ts';
import { BATCH_MS, newViewer, PART_SIZE, PENDING_MAX } from './viewer.ts';

const node = (id: string, status = 'Ready'): NodeView => ({
  kind: 'node',
  id,
  cluster: 0,
  name: id,
  createdMs: 0,
  ready: true,
  status,
  message: '',
  cpuMilli: 1,
  memoryBytes: 1,
  pods: 1,
  version: '',
  address: '',
});

function setUp(views: number) {
  const clock = newVirtualClock({});
  const store = newViewStore();
  for (let index = 0; index < views; index += 1) store.set(node(`n${index}`));
  const told: Message[] = [];
  let drain = (): void => undefined;
  const socket = { full: false };
  const sink = {
    write(json: string) {
      told.push(JSON.parse(json) as Message);
      return !socket.full;
    },
    onDrain(fn: () => void) {
      drain = fn;
    },
  };
  const viewer = newViewer({ store, clock, sink, hello: { type: 'hello', title: 't', clusters: [] } });
  const batches = (): Batch[] => told.splice(0).filter((message) => message.type === 'batch');
  return { clock, store, viewer, socket, batches, drain: () => drain() };
}

describe('a viewer', () => {
  test('gets a whole picture in parts', async () => {
    const { clock, batches } = setUp(2 * PART_SIZE + 1);
    await clock.advance(BATCH_MS);
    const parts = batches();
    expect(parts.map(({ reset, whole, changed }) => [reset, whole, changed.length])).toEqual([
      [true, undefined, PART_SIZE],
      [undefined, undefined, PART_SIZE],
      [undefined, true, 1],
    ]);
  });
  test('gets many changes of one object as one, and a deletion as its id', async () => {
    const { clock, store, batches } = setUp(2);
    await clock.advance(BATCH_MS);
    batches();
    for (let count = 0; count < 500; count += 1) store.set(node('n0', `change ${count}`));
    store.delete('n1');
    await clock.advance(BATCH_MS);
    expect(batches().map(({ changed, gone }) => [changed.map((view) => (view as NodeView).status), gone])).toEqual([
      [['change 499'], ['n1']],
    ]);
  });
  test('is not told of what did not change', async () => {
    const { clock, store, batches } = setUp(1);
    await clock.advance(BATCH_MS);
    batches();
    store.set(node('n0'));
    await clock.advance(10 * BATCH_MS);
    expect(batches()).toEqual([]);
  });
  test('that reads slowly costs a bounded set of ids, and gets a fresh picture when it missed more', async () => {
    const { clock, store, viewer, socket, batches, drain } = setUp(1);
    await clock.advance(BATCH_MS);
    socket.full = true;
    store.set(node('n0', 'blocks'));
    await clock.advance(BATCH_MS);
    batches();
    for (let index = 0; index < 3 * PENDING_MAX; index += 1) {
      store.set(node(`late${index}`));
      expect(viewer.pending).toBeLessThanOrEqual(PENDING_MAX);
    }
    await clock.advance(100 * BATCH_MS);
    expect(batches()).toEqual([]);
    socket.full = false;
    drain();
    const parts = batches();
    expect(parts[0]?.reset).toBe(true);
    expect(parts.at(-1)?.whole).toBe(true);
    expect(parts.flatMap(({ changed }) => changed)).toHaveLength(3 * PENDING_MAX + 1);
  });
  test('that reads slowly and missed little gets just that', async () => {
    const { clock, store, socket, batches, drain } = setUp(1);
    await clock.advance(BATCH_MS);
    socket.full = true;
    store.set(node('n0', 'blocks'));
    await clock.advance(BATCH_MS);
    batches();
    store.set(node('n0', 'later'));
    socket.full = false;
    drain();
    expect(batches()).toMatchObject([{ changed: [{ status: 'later' }], gone: [] }]);
  });
  test('that left is told nothing', async () => {
    const { clock, store, viewer, batches } = setUp(1);
    viewer.close();
    batches();
    store.set(node('n0', 'later'));
    await clock.advance(BATCH_MS);
    expect(batches()).toEqual([]);
  });
});

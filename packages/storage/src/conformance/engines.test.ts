import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@orrery/base';
import { type Engine, engines } from '../engines/registry.ts';
import type { OpenStore, StoreHarness } from './harness.ts';
import { describeStoreConformance } from './suite.ts';

async function openWithDirectory(engine: Engine, clock: Clock): Promise<OpenStore> {
  const directory = await mkdtemp(join(tmpdir(), 'orrery-store-'));
  let store = await engine.open({ directory, clock });
  const reopen = async () => {
    await store.close();
    store = await engine.open({ directory, clock });
    return store;
  };
  return {
    get store() {
      return store;
    },
    ...(engine.durable ? { reopen } : {}),
    async dispose() {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

for (const engine of engines) {
  const harness: StoreHarness = { open: (clock) => openWithDirectory(engine, clock) };
  describeStoreConformance(engine.name, harness);
}

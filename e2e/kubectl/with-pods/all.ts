import { describe } from 'vitest';
import type { Driver } from '../drivers.ts';
import { useSuite } from '../fixture.ts';
import { libraryTests } from './client-library.ts';
import { debugTests } from './debug.ts';
import { networkTests } from './network.ts';
import { nodeTests } from './nodes.ts';
import { podTests } from './pods.ts';
import { topTests } from './top.ts';
import { workloadTests } from './workloads.ts';

/** Everything that touches pods, on one cluster. */
export async function describeWithPods(driver: Driver): Promise<void> {
  const problem = await driver.problem();
  describe.skipIf(problem !== undefined)(`${driver.name}${problem === undefined ? '' : ` (skipped: ${problem})`}`, () => {
    const suite = useSuite(driver);
    describe('nodes', () => nodeTests(suite)); // First: they count the pods of the node.
    describe('pods', () => podTests(suite));
    describe('workloads', () => workloadTests(suite));
    describe('debug', () => debugTests(suite));
    describe('top', () => topTests(suite));
    describe('network', () => networkTests(suite));
    describe('client library', () => libraryTests(suite));
  });
}

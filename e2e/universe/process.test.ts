import { afterAll, beforeAll, describe } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { describeHelloUniverse } from './suite.ts';

describe('a program that deploys itself: process driver', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster.dispose());
  describeHelloUniverse(() => cluster);
});

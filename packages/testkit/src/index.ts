export { startCluster, type TestCluster, type TestClusterOptions } from './test-cluster.ts';
export { testPki } from './test-pki.ts';

export { type ContainerdOptions, containerdProblem, startContainerd, type TestContainerd } from './containerd.ts';
export { makeTestBridge, makeTestNetwork, type TestNetwork } from './network.ts';

import { realClock, systemRandom } from '@orrery/base';
import { type ClusterPki, completePki } from '@orrery/kube-apiserver';

let shared: Promise<ClusterPki> | undefined;

/** Certificates for loopback. One set serves every cluster of a process: making them takes longer than starting a cluster. */
export function testPki(): Promise<ClusterPki> {
  shared ??= completePki({ apiserver: [], nodeName: 'test', node: [] }, { nowMs: realClock.now(), serial: () => systemRandom.bytes(16) });
  return shared;
}

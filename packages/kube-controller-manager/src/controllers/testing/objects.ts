import type { Deployment, ReplicaSet } from '@orrery/api/apps/v1';
import type { Pod } from '@orrery/api/core/v1';

let uid = 0;
const meta = (name: string) => {
  uid += 1;
  return { name, namespace: 'default', uid: `uid-${uid}`, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 };
};

/** A deployment with `replicas` pods of one template. */
export function deploymentOf(spec: Partial<Deployment['spec']>, status: Partial<Deployment['status']> = {}): Deployment {
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta('web'),
    spec: { replicas: 10, selector: { matchLabels: { app: 'a' } }, template, progressDeadlineSeconds: 600, ...spec },
    status,
  };
}

export interface SetShape {
  readonly replicas: number;
  /** @default as many as replicas */
  readonly available?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly createdAt?: string;
  readonly image?: string;
}

export function setOf(name: string, { replicas, available = replicas, annotations = {}, createdAt, image = 'i' }: SetShape): ReplicaSet {
  const metadata = { ...meta(name), annotations, ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }) };
  const template = { metadata: { labels: { app: 'a', 'pod-template-hash': name } }, spec: { containers: [{ name: 'c', image }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata,
    spec: { replicas, selector: { matchLabels: { app: 'a' } }, template },
    status: { replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  };
}

export interface PodShape {
  readonly node?: string;
  readonly phase?: string;
  readonly readySince?: string;
  readonly createdAt?: string;
  readonly restarts?: number;
  readonly cost?: string;
}

export function podOf(name: string, { node = 'n', phase = 'Running', readySince, createdAt, restarts = 0, cost }: PodShape = {}): Pod {
  const metadata = {
    ...meta(name),
    ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }),
    ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { containers: [{ name: 'c', image: 'i' }], ...(node === '' ? {} : { nodeName: node }) },
    status: {
      phase,
      conditions: readySince === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: readySince }],
      containerStatuses: [{ name: 'c', image: 'i', imageID: '', ready: readySince !== undefined, restartCount: restarts }],
    },
  };
}

import type { Node, Pod } from '@orrery/api/core/v1';
import type { NewObject } from '@orrery/apimachinery';

/** A pod as a ReplicaSet's template makes it: about 1 KB as it is sent, 2 KB as it is stored. */
export function newPod(namespace: string, name: string): NewObject<Pod> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: { app: 'bench', tier: 'web', 'pod-template-hash': '5d59d67564' } },
    spec: {
      containers: [
        {
          name: 'web',
          image: 'registry.example/team/web:1.27.4',
          command: ['/bin/web', '--listen', ':8080'],
          env: Array.from({ length: 8 }, (_, index) => ({ name: `SETTING_${index}`, value: `the value of setting ${index}` })),
          ports: [{ name: 'http', containerPort: 8080 }],
          resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
          readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
        },
      ],
      serviceAccountName: 'default',
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    },
  } as NewObject<Pod>;
}

/** A pod with nothing but one small request: what upstream's scheduling benchmark calls basic. */
export const newBasicPod = (namespace: string, name: string): NewObject<Pod> =>
  ({
    metadata: { namespace, name },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '10m', memory: '50Mi' } } }] },
  }) as NewObject<Pod>;

/** A node that is ready and that nobody renews. */
export function newReadyNode(name: string): NewObject<Node> {
  const resources = { cpu: '4', memory: '32Gi', pods: '110', 'ephemeral-storage': '100Gi' };
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${name.length % 3}` } },
    spec: {},
    status: { capacity: resources, allocatable: resources, conditions: [{ type: 'Ready', status: 'True' }] },
  } as NewObject<Node>;
}

/** A ConfigMap of about 1 KB. */
export const newConfigMap = (namespace: string, name: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name, labels: { app: 'bench' } },
  data: { text: 'x'.repeat(900) },
});

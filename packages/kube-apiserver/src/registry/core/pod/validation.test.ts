import type { Pod } from '@orrery/api/core/v1';
import { cloneJson, type Draft } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import { podStrategy } from './strategy.ts';

const context = { user: { username: 'test', groups: [] }, namespace: 'default', now: '2026-01-01T00:00:00Z', dryRun: false };
type Spec = Record<string, unknown>;
const container = { name: 'c', image: 'app:1' };
const withContainer = (fields: object): Spec => ({ containers: [{ ...container, ...fields }] });

function podOf(spec: Spec): Pod {
  const draft = cloneJson({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', labels: { app: 'a' } },
    spec: { containers: [container], ...spec },
  }) as unknown as Draft<Pod>;
  podStrategy.default?.(draft);
  podStrategy.prepareForCreate?.(draft, context);
  return draft as Pod;
}
const errorsOf = (spec: Spec): string[] =>
  (podStrategy.validate?.(podOf(spec), context) ?? []).map(({ field, message }) => `${field}: ${message}`);

describe('pods that are refused', () => {
  const cases: [string, Spec, string[]][] = [
    ['no containers', { containers: [] }, ['spec.containers: Required value']],
    ['no name', { containers: [{ image: 'a' }] }, ['spec.containers[0].name: Required value']],
    ['no image', { containers: [{ name: 'c' }] }, ['spec.containers[0].image: Required value']],
    [
      'padded image',
      withContainer({ image: ' app' }),
      ['spec.containers[0].image: Invalid value: " app": must not have leading or trailing whitespace'],
    ],
    ['names twice', { containers: [container, container] }, ['spec.containers[1].name: Duplicate value: "c"']],
    ['init name taken', { initContainers: [container] }, ['spec.initContainers[0].name: Duplicate value: "c"']],
    [
      'unknown restart policy',
      { restartPolicy: 'Sometimes' },
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      'port out of range',
      withContainer({ ports: [{ containerPort: 70000 }] }),
      ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ],
    [
      'host ports twice',
      withContainer({
        ports: [
          { containerPort: 1, hostPort: 80 },
          { containerPort: 2, hostPort: 80 },
        ],
      }),
      ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"'],
    ],
    [
      'env with two sources',
      withContainer({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
      ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ],
    [
      'env from an unknown field',
      withContainer({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } }] }),
      [
        'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      ],
    ],
    [
      'mount of nothing',
      withContainer({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    ],
    [
      'two sources of a volume',
      { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] },
      ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'mode out of range',
      { volumes: [{ name: 'v', secret: { secretName: 's', defaultMode: 4096 } }] },
      ['spec.volumes[0].secret.defaultMode: Invalid value: 4096: must be a number between 0 and 0777 (octal), both inclusive'],
    ],
    [
      'liveness that needs two successes',
      withContainer({ livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
      ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1'],
    ],
    [
      'probe of nothing',
      withContainer({ readinessProbe: {} }),
      ['spec.containers[0].readinessProbe: Required value: must specify a handler type'],
    ],
    [
      'request over limit',
      withContainer({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
      ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
    [
      'init container with a probe',
      { initContainers: [{ name: 'i', image: 'a', livenessProbe: { exec: { command: ['x'] } } }] },
      ['spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always'],
    ],
    [
      'ephemeral containers at birth',
      { ephemeralContainers: [{ name: 'e', image: 'a' }] },
      ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ],
    [
      'toleration without key',
      { tolerations: [{ operator: 'Equal' }] },
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
    [
      'host port that differs on the host network',
      { hostNetwork: true, ...withContainer({ ports: [{ containerPort: 80, hostPort: 81 }] }) },
      ['spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true'],
    ],
    [
      'privileged without escalation',
      withContainer({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
      [
        'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ],
    ],
    [
      'dns none without servers',
      { dnsPolicy: 'None' },
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'empty node selector terms',
      { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } },
      [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
      ],
    ],
    [
      'linux fields on windows',
      { os: { name: 'windows' }, securityContext: { runAsUser: 1 } },
      ['spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod'],
    ],
  ];
  for (const [name, spec, want] of cases) test(name, () => expect(errorsOf(spec)).toEqual(want));
});

describe('pods that are taken', () => {
  const cases: [string, Spec][] = [
    [
      'sidecar with probes',
      { initContainers: [{ name: 's', image: 'a', restartPolicy: 'Always', readinessProbe: { httpGet: { port: 80 } } }] },
    ],
    [
      'named target port in a probe',
      withContainer({ ports: [{ name: 'http', containerPort: 80 }], livenessProbe: { httpGet: { port: 'http' } } }),
    ],
    [
      'labels by the downward API',
      withContainer({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }] }),
    ],
    [
      'volumes of every common kind',
      {
        serviceAccountName: 'sa',
        volumes: [
          { name: 'a' },
          { name: 'b', configMap: { name: 'm', items: [{ key: 'k', path: 'p' }] } },
          { name: 'c', projected: { sources: [{ serviceAccountToken: { path: 't' } }, { configMap: { name: 'm' } }] } },
          { name: 'd', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
          { name: 'e', hostPath: { path: '/tmp' } },
          { name: 'f', persistentVolumeClaim: { claimName: 'c' } },
        ],
        ...withContainer({ volumeMounts: [{ name: 'a', mountPath: '/a', subPath: 'x/y' }] }),
      },
    ],
    ['hugepages with memory', withContainer({ resources: { limits: { 'hugepages-2Mi': '4Mi', memory: '1Mi' } } })],
    ['extended resources', withContainer({ resources: { limits: { 'example.com/gpu': '2' } } })],
    ['env names that shells do not take', withContainer({ env: [{ name: 'a.b-c/d', value: '' }] })],
  ];
  for (const [name, spec] of cases) test(name, () => expect(errorsOf(spec)).toEqual([]));
});

describe('updates of a pod', () => {
  const old = podOf({ activeDeadlineSeconds: 10 });
  const errors = (change: (spec: Record<string, unknown>) => void): string[] => {
    const next = cloneJson(old) as unknown as { spec: Record<string, unknown> };
    change(next.spec);
    return (podStrategy.validateUpdate?.(next as unknown as Pod, old, context) ?? []).map(({ field, message }) => `${field}: ${message}`);
  };
  test('the image may change', () => expect(errors((spec) => Object.assign(spec, withDefaults({ image: 'app:2' })))).toEqual([]));
  test('a toleration may be added', () =>
    expect(errors((spec) => Object.assign(spec, { tolerations: [{ operator: 'Exists' }] }))).toEqual([]));
  test('the deadline may come closer', () => expect(errors((spec) => Object.assign(spec, { activeDeadlineSeconds: 5 }))).toEqual([]));
  test('the deadline may not go', () =>
    expect(errors((spec) => delete spec['activeDeadlineSeconds'])).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
    ]));
  test('nothing else may change', () => {
    const [first = ''] = errors((spec) => Object.assign(spec, { hostname: 'other' }));
    expect(first).toContain('spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,');
    expect(first).toContain('+ hostname: "other"');
  });
  test('containers may not come', () =>
    expect(
      errors((spec) => Object.assign(spec, { containers: [...(old.spec.containers ?? []), { ...old.spec.containers[0], name: 'd' }] })),
    ).toEqual(['spec.containers: Forbidden: pod updates may not add or remove containers']));
  const withDefaults = (fields: object): object => ({ containers: [{ ...old.spec.containers[0], ...fields }] });
});

describe('defaults', () => {
  test('of a pod', () => {
    const { spec, status } = podOf(
      withContainer({ image: 'app', resources: { limits: { cpu: '1' } }, livenessProbe: { httpGet: { port: 1 } } }),
    );
    expect(spec).toEqual({
      containers: [
        {
          name: 'c',
          image: 'app',
          imagePullPolicy: 'Always',
          resources: { limits: { cpu: '1' }, requests: { cpu: '1' } },
          livenessProbe: {
            httpGet: { port: 1, path: '/', scheme: 'HTTP' },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    });
    expect(status).toEqual({ phase: 'Pending', qosClass: 'Burstable' });
  });

  const images: [string, string][] = [
    ['app', 'Always'],
    ['app:latest', 'Always'],
    ['app:1', 'IfNotPresent'],
    ['host:5000/app', 'Always'],
    ['host:5000/app:1', 'IfNotPresent'],
    [`app@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
  ];
  for (const [image, want] of images) {
    test(`pull policy of ${image}`, () => expect(podOf(withContainer({ image })).spec.containers[0]?.imagePullPolicy).toBe(want));
  }
});

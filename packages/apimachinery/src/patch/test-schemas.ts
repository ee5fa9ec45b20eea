import type { FieldSchema, ListSchema, MapSchema, Schema, StructSchema } from '../schema/schema.ts';

// Small hand-made schemas for tests: a workload with every list and map type that merging knows.

export const string: Schema = { type: 'string' };
export const int32: Schema = { type: 'int32' };

interface FieldOptions {
  readonly patchStrategy?: string;
  readonly mergeKey?: string;
  readonly default?: string;
}

/** As Go serialises objects: these are there even when empty. */
const alwaysThere = ['metadata', 'spec', 'status'];

export const struct = (name: string, fields: Record<string, Schema | [Schema, FieldOptions]>, atomic = false): StructSchema => ({
  type: 'struct',
  name,
  required: [],
  atomic,
  fields: new Map(
    Object.entries(fields).map(([field, value]): [string, FieldSchema] => {
      const [schema, options] = Array.isArray(value) ? value : [value, {}];
      return [field, { name: field, schema, required: false, alwaysPresent: alwaysThere.includes(field), ...options }];
    }),
  ),
});

export const list = (items: Schema, listType: ListSchema['listType'] = 'atomic', mapKeys: readonly string[] = []): ListSchema => ({
  type: 'list',
  items,
  listType,
  mapKeys,
});

export const map = (values: Schema, atomic = false): MapSchema => ({ type: 'map', values, atomic });

const meta = struct('test.ObjectMeta', {
  name: string,
  namespace: string,
  uid: string,
  resourceVersion: string,
  creationTimestamp: { type: 'time' },
  generation: { type: 'int64' },
  labels: map(string),
  annotations: map(string),
  finalizers: [list(string, 'set'), { patchStrategy: 'merge' }],
  managedFields: list({ type: 'any' }),
});

const port = struct('test.ContainerPort', {
  containerPort: int32,
  protocol: [string, { default: 'TCP' }],
  name: string,
  hostIP: string,
});

const container = struct('test.Container', {
  name: string,
  image: string,
  args: list(string),
  ports: [list(port, 'map', ['containerPort', 'protocol']), { patchStrategy: 'merge', mergeKey: 'containerPort' }],
  resources: struct('test.Resources', { limits: map({ type: 'quantity' }) }),
});

/** As a Deployment and a Pod in one. */
export const workload = struct('test.Workload', {
  apiVersion: string,
  kind: string,
  metadata: meta,
  spec: struct('test.WorkloadSpec', {
    replicas: int32,
    paused: { type: 'boolean' },
    containers: [list(container, 'map', ['name']), { patchStrategy: 'merge', mergeKey: 'name' }],
    strategy: [
      struct('test.Strategy', { type: string, rollingUpdate: struct('test.RollingUpdate', { maxSurge: { type: 'intOrString' } }) }),
      { patchStrategy: 'retainKeys' },
    ],
    selector: struct('test.Selector', { matchLabels: map(string) }, true),
    nodeSelector: map(string, true),
    tolerations: list(struct('test.Toleration', { key: string, value: string })),
    ips: list(string, 'set'),
    raw: { type: 'any' },
  }),
  status: struct('test.WorkloadStatus', {
    replicas: int32,
    conditions: [
      list(struct('test.Condition', { type: string, status: string }), 'map', ['type']),
      { patchStrategy: 'merge', mergeKey: 'type' },
    ],
  }),
});

import { decodeStruct, isStatusError, type Json, parseJson, type StructSchema, strictDecodingError } from '@orrery/apimachinery';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { schemas } from './schemas.ts';

const core = (kind: string): StructSchema => schemas.struct(`io.k8s.api.core.v1.${kind}`);
const deployment = schemas.struct('io.k8s.api.apps.v1.Deployment');

const refusal = (schema: StructSchema, value: Json): string => {
  try {
    decodeStruct(schema, value);
  } catch (err) {
    if (isStatusError(err)) return `${err.code} ${err.message}`;
    throw err;
  }
  return '';
};

describe('wrong types are refused in the words of Go', () => {
  const pod = (spec: Json): readonly [string, Json] => ['Pod', { spec }];
  const cases: readonly (readonly [readonly [string, Json], string])[] = [
    [pod('x'), 'json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec'],
    [pod({ containers: {} }), 'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container'],
    [
      pod({ containers: [{ name: 1 }] }),
      'json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string',
    ],
    [pod({ hostNetwork: 'yes' }), 'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool'],
    [pod({ priority: 1.5 }), 'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32'],
    [pod({ priority: 4294967296 }), 'json: cannot unmarshal number 4294967296 into Go struct field PodSpec.spec.priority of type int32'],
    [pod({ restartPolicy: 1 }), 'json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy'],
    [pod({ nodeSelector: [] }), 'json: cannot unmarshal array into Go struct field PodSpec.spec.nodeSelector of type map[string]string'],
    [
      ['Pod', { metadata: { labels: { a: 1 } } }],
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [['Secret', { data: { a: 'a' } }], 'illegal base64 data at input byte 0'],
    [['Secret', { data: { a: 'abc!' } }], 'illegal base64 data at input byte 3'],
    [
      ['Pod', { metadata: { deletionTimestamp: 'now' } }],
      'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
    ],
    [
      ['Pod', { metadata: { deletionTimestamp: 5 } }],
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.deletionTimestamp of type string',
    ],
    [
      pod({ containers: [{ resources: { limits: { cpu: 'lots' } } }] }),
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      ['Service', { spec: { ports: [{ targetPort: true }] } }],
      'json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32',
    ],
    [['Pod', []], 'json: cannot unmarshal array into Go value of type v1.Pod'],
  ];
  test.each(cases)('%j', ([kind, value], problem) => {
    expect(refusal(core(kind), value)).toBe(`400 ${kind} in version "v1" cannot be handled as a ${kind}: ${problem}`);
  });
});

describe('strict decoding reports in document order', () => {
  const decode = (text: string) => {
    const { value, duplicates } = parseJson(Buffer.from(text), { detectDuplicates: true });
    return decodeStruct(deployment, value, { duplicates }).unknown;
  };

  test('unknown and duplicate fields of a typed object', () => {
    const complaints = decode(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","Labels":{}},"spec":{
      "unknown1":"v","unknownDupe":"a","unknownDupe":"b","paused":true,"paused":false,
      "template":{"spec":{"containers":[{"name":"n","unknownNested":1,"imagePullPolicy":"Always","imagePullPolicy":"Never"}]}}}}`);
    expect(complaints).toEqual([
      'unknown field "metadata.Labels"',
      'unknown field "spec.unknown1"',
      'unknown field "spec.unknownDupe"',
      'duplicate field "spec.paused"',
      'unknown field "spec.template.spec.containers[0].unknownNested"',
      'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
    ]);
    expect(strictDecodingError(complaints.slice(0, 2))).toBe(
      'strict decoding error: unknown field "metadata.Labels", unknown field "spec.unknown1"',
    );
  });

  test('duplicate map keys count, keys below open values do not', () => {
    expect(decode('{"metadata":{"labels":{"a":"1","a":"2"},"managedFields":[{"fieldsV1":{"f:a":{},"f:a":{}}}]}}')).toEqual([
      'duplicate field "metadata.labels.a"',
    ]);
  });

  test('the YAML complaints come first', () => {
    const duplicates = ['line 3: key "a" already set in map'];
    expect(decodeStruct(deployment, { foo: 1 }, { duplicates }).unknown).toEqual([...duplicates, 'unknown field "foo"']);
  });
});

describe('the decoded object', () => {
  test('has canonical quantities, times and bytes, and shares nothing', () => {
    const labels = { a: 'b' };
    const { object } = decodeStruct(core('Pod'), {
      metadata: { name: 'p', labels, creationTimestamp: null, deletionTimestamp: '2026-01-02T04:04:05.9+01:00' },
      spec: { containers: [{ name: 'c', resources: { limits: { cpu: 0.5, memory: '1024Mi' }, requests: { cpu: null } } }] },
    });
    expect(object).toEqual({
      metadata: { name: 'p', labels: { a: 'b' }, deletionTimestamp: '2026-01-02T03:04:05Z' },
      spec: { containers: [{ name: 'c', resources: { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '0' } } }] },
      status: {},
    });
    expect((object['metadata'] as { labels: unknown }).labels).not.toBe(labels);
  });

  test('has the plain structs that Go always shows', () => {
    const { object } = decodeStruct(deployment, { spec: { template: {} } });
    expect(object).toEqual({
      metadata: {},
      spec: { strategy: {}, template: { metadata: {}, spec: { containers: [] } } },
      status: {},
    });
  });

  test('has no empty optional lists, maps and plain scalars, but zero values for null members', () => {
    expect(decodeStruct(core('ConfigMap'), { data: { a: null, b: '' }, binaryData: {}, immutable: false }).object).toEqual({
      metadata: {},
      data: { a: '', b: '' },
      immutable: false,
    });
    const container = { name: 'c', ports: [{ containerPort: 80, hostPort: 0, protocol: '' }], env: [{ name: 'A', value: '' }], args: [] };
    const pod = decodeStruct(core('Pod'), { spec: { containers: [container], hostNetwork: false, terminationGracePeriodSeconds: 0 } });
    expect(pod.object['spec']).toEqual({
      containers: [{ name: 'c', ports: [{ containerPort: 80 }], env: [{ name: 'A' }], resources: {} }],
      terminationGracePeriodSeconds: 0,
    });
    expect(decodeStruct(deployment, { spec: { replicas: 0, paused: false } }).object['spec']).toMatchObject({ replicas: 0 });
  });

  test('holds a key named __proto__ as a plain member', () => {
    const { value } = parseJson(Buffer.from('{"data":{"__proto__":"x"}}'));
    const data = decodeStruct(core('ConfigMap'), value).object['data'] as object;
    expect(Object.keys(data)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
  });

  test('reads base64 with line breaks and stores it canonically', () => {
    const { object } = decodeStruct(core('Secret'), { data: { a: 'aGVs\nbG8=', b: 'aGk=' } });
    expect(object['data']).toEqual({ a: 'aGVsbG8=', b: 'aGk=' });
  });
});

test('any JSON gives an object or a StatusError', () => {
  const names = [
    'metadata',
    'spec',
    'template',
    'containers',
    'ports',
    'labels',
    'resources',
    'limits',
    'cpu',
    'env',
    'replicas',
    'name',
    'x',
    '__proto__',
  ];
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      fc.constantFrom<Json>(null, true, 0, -1, 1.5, 1e300, '', 'a', '100m', '2026-01-02T03:04:05Z'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(fc.constantFrom(...names), tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
    ),
  }));
  fc.assert(
    fc.property(value, (json) => {
      try {
        const { object } = decodeStruct(deployment, json);
        // What was decoded decodes to itself.
        expect(decodeStruct(deployment, object as Json)).toEqual({ object, unknown: [] });
      } catch (err) {
        if (!isStatusError(err) || err.reason !== 'BadRequest') throw err;
      }
    }),
    { numRuns: 2000 },
  );
});

import {
  decodeStruct,
  FrameSplitter,
  isStatusError,
  type Json,
  type JsonObject,
  type Schema,
  type StructSchema,
} from '@orrery/apimachinery';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protobufCodec } from './protobuf.ts';
import { schemas, typeTable } from './schemas.ts';

const codec = protobufCodec();
const round = (object: JsonObject): JsonObject => codec.decode(codec.encode(object)).value;

/** Kinds with a protobuf form, and their types. */
const kinds = Object.entries(typeTable()).flatMap(([name, { gvk = [] }]) =>
  gvk
    .filter(([group, version, kind]) => gvk.length === 1 && codec.supports(group === '' ? version : `${group}/${version}`, kind))
    .map(([group, version, kind]) => ({ name, apiVersion: group === '' ? version : `${group}/${version}`, kind })),
);

/** Random values that fit the schema, as a client could send them. */
class Values {
  #depth = 0;

  of(schema: Schema): fc.Arbitrary<Json | undefined> {
    switch (schema.type) {
      case 'string':
        return fc.string({ unit: 'binary', minLength: 1, maxLength: 8 });
      case 'boolean':
        return fc.constant(true);
      case 'int32':
        return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).filter((n) => n !== 0);
      case 'int64':
        return fc.maxSafeInteger().filter((n) => n !== 0);
      case 'double':
        return fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => n !== 0);
      case 'bytes':
        return fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64'));
      case 'quantity':
        return fc.constantFrom('100m', '1', '128Mi', '1Gi');
      case 'intOrString':
        return fc.constantFrom<Json>(80, '25%', 'http', -1);
      case 'time':
        return fc.constantFrom('2026-01-02T03:04:05Z', '1969-12-31T23:59:59Z');
      case 'microTime':
        return fc.constantFrom('2026-01-02T03:04:05.123456Z', '2026-01-02T03:04:05.000000Z');
      case 'any':
        return fc
          .dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { minKeys: 1, maxKeys: 2 })
          .map((value) => JSON.parse(JSON.stringify(value)) as Json);
      case 'list':
        return fc.array(this.of(schema.items) as fc.Arbitrary<Json>, { minLength: 1, maxLength: 2 });
      case 'map':
        return fc.dictionary(fc.string(), this.of(schema.values) as fc.Arbitrary<Json>, { minKeys: 1, maxKeys: 2 });
      case 'struct':
        return this.#struct(schema);
    }
  }

  #struct(schema: StructSchema): fc.Arbitrary<Json | undefined> {
    if (this.#depth > 4) return fc.constant({});
    this.#depth++;
    const model: Record<string, fc.Arbitrary<Json | undefined>> = {};
    for (const field of schema.fields.values()) {
      if (field.name !== 'apiVersion' && field.name !== 'kind') model[field.name] = this.of(field.schema);
    }
    this.#depth--;
    return fc.record(model, { requiredKeys: [] }).map((value) => value as Json);
  }
}

describe('JSON → protobuf → JSON keeps every field', () => {
  test.each(kinds)('$apiVersion $kind', ({ name, apiVersion, kind }) => {
    const schema = schemas.struct(name);
    fc.assert(
      fc.property(new Values().of(schema), (value) => {
        const { object } = decodeStruct(schema, value as Json);
        const whole = { ...object, apiVersion, kind } as JsonObject;
        const { object: back } = decodeStruct(schema, round(whole));
        const { object: expected } = decodeStruct(schema, whole);
        expect(back).toEqual(expected);
      }),
      { numRuns: 5 },
    );
  });
});

test('every kind that is served has a protobuf form, with all its fields', () => {
  expect(kinds.length).toBeGreaterThan(120);
  for (const kind of ['Pod', 'Deployment', 'Lease', 'Event', 'Job']) expect(kinds.some((found) => found.kind === kind)).toBe(true);
});

describe('bytes are those of Go', () => {
  test('a namespace', () => {
    const hex = codec.encode({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } }).toString('hex');
    // k8s\0, typeMeta{v1, Namespace}, raw{metadata{name: a}}, empty contentEncoding and contentType.
    expect(hex).toBe('6b387300' + '0a0f' + '0a027631' + '12094e616d657370616365' + '1205' + '0a03' + '0a0161' + '1a00' + '2200');
  });

  test('what Go writes for a pod with plain zero values is read without them', () => {
    // container{name: c, ports[{name: "", hostPort: 0, containerPort: 80, protocol: TCP, hostIP: ""}]}
    const port = Buffer.concat([
      Buffer.from('0a001000', 'hex'),
      Buffer.from('1850', 'hex'),
      Buffer.from('2203', 'hex'),
      Buffer.from('TCP'),
      Buffer.from('2a00', 'hex'),
    ]);
    const container = Buffer.concat([Buffer.from('0a0163', 'hex'), Buffer.from([0x32, port.length]), port]);
    const spec = Buffer.concat([Buffer.from([0x12, container.length]), container]);
    const pod = Buffer.concat([Buffer.from([0x12, spec.length]), spec]);
    const { value } = codec.decode(pod, { expected: { apiVersion: 'v1', kind: 'Pod' } });
    expect(value).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, protocol: 'TCP' }] }] },
    });
  });
});

describe('kinds that are no resources', () => {
  test.each([
    { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: 'u' }, propagationPolicy: 'Foreground' },
    { apiVersion: 'apps/v1', kind: 'DeleteOptions', dryRun: ['All'] },
    { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions', fieldManager: 'm' },
    { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', details: { causes: [{ reason: 'r', field: 'f' }] }, code: 404 },
    { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: { name: 'a' } },
    {
      apiVersion: 'meta.k8s.io/v1',
      kind: 'PartialObjectMetadataList',
      metadata: { resourceVersion: '1' },
      items: [{ metadata: { name: 'a' } }],
    },
    {
      apiVersion: 'v1',
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get'] }],
    },
    { apiVersion: 'v1', kind: 'APIGroup', name: 'apps', versions: [{ groupVersion: 'apps/v1', version: 'v1' }] },
    {
      apiVersion: 'apidiscovery.k8s.io/v2',
      kind: 'APIGroupDiscoveryList',
      metadata: {},
      items: [{ metadata: { name: 'apps' }, versions: [{ version: 'v1', freshness: 'Current' }] }],
    },
    { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' }, deleteOptions: { gracePeriodSeconds: 1 } },
    { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'p' }, spec: { replicas: 2 } },
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: {}, status: { user: { extra: { a: ['b', 'c'] } } } },
  ])('$apiVersion $kind', (object) => expect(round(object)).toEqual(object));

  test('what has no protobuf form is said', () => {
    expect(codec.supports('example.com/v1', 'Widget')).toBe(false);
    expect(codec.supports('meta.k8s.io/v1', 'Table')).toBe(false);
    expect(() => codec.encode({ apiVersion: 'example.com/v1', kind: 'Widget' })).toThrow('no protobuf form');
  });
});

test('watch events travel in frames', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } };
  const frame = codec.encodeWatchFrame('ADDED', codec.encode(pod));
  const splitter = new FrameSplitter(1_000_000);
  const frames = [...splitter.push(frame.subarray(0, 3)), ...splitter.push(Buffer.concat([frame.subarray(3), frame]))];
  expect(frames.map((bytes) => codec.decodeWatchEvent(bytes))).toEqual([
    { type: 'ADDED', object: pod },
    { type: 'ADDED', object: pod },
  ]);
  expect(() => new FrameSplitter(10).push(frame)).toThrow('larger than 10');
});

describe('any bytes give a value or a StatusError', () => {
  const survive = (bytes: Uint8Array): void => {
    try {
      codec.decode(bytes, { expected: { apiVersion: 'v1', kind: 'Pod' } });
    } catch (err) {
      if (!isStatusError(err) || err.reason !== 'BadRequest') throw err;
    }
  };
  const seed = codec.encode({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', labels: { a: 'b' }, creationTimestamp: '2026-01-02T03:04:05Z', managedFields: [{ fieldsV1: { 'f:a': {} } }] },
    spec: { containers: [{ name: 'c', resources: { limits: { cpu: '1' } }, livenessProbe: { httpGet: { port: 80 } } }] },
  });

  test('random', () => fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), survive), { numRuns: 2000 }));

  test('mutated', () => {
    const edit = fc.tuple(fc.nat(seed.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(seed.length), (edits, cut) => {
        const bytes = Buffer.from(seed);
        for (const [at, byte] of edits) bytes[at] = byte;
        survive(bytes);
        survive(bytes.subarray(0, cut));
      }),
      { numRuns: 3000 },
    );
  });

  test('endless nesting', () => {
    let bytes = Buffer.alloc(0);
    for (let i = 0; i < 5000; i++) bytes = Buffer.concat([Buffer.from([0x0b]), bytes]); // Groups that never end.
    survive(bytes);
    expect(() => codec.decode(Buffer.from('{}'))).toThrow('does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  });
});

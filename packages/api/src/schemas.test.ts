import type { FieldSchema, Schema } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import { overridesOf } from './overrides.ts';
import { schemas, typeTable } from './schemas.ts';

function field(path: string): FieldSchema {
  const [type = '', name = ''] = path.split('/');
  const found = schemas.struct(type).fields.get(name);
  if (found === undefined) throw new Error(`no field ${path}`);
  return found;
}

/** List type and keys, merge key and strategy: what apply and strategic merge go by. */
function mergeRules(path: string): string {
  const { schema, mergeKey = '-', patchStrategy = '-' } = field(path);
  if (schema.type === 'list') return `${schema.listType} [${schema.mapKeys.join()}] ${mergeKey} ${patchStrategy}`;
  const atomic = (schema.type === 'map' || schema.type === 'struct') && schema.atomic;
  return `${schema.type}${atomic ? ' atomic' : ''} ${mergeKey} ${patchStrategy}`;
}

const core = 'io.k8s.api.core.v1';
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

describe('merge rules are those of upstream', () => {
  test.each([
    [`${core}.PodSpec/containers`, 'map [name] name merge'],
    [`${core}.PodSpec/volumes`, 'map [name] name merge,retainKeys'],
    [`${core}.PodSpec/tolerations`, 'atomic [] - -'],
    [`${core}.PodSpec/nodeSelector`, 'map atomic - -'],
    [`${core}.PodSpec/topologySpreadConstraints`, 'map [topologyKey,whenUnsatisfiable] topologyKey merge'],
    [`${core}.Container/ports`, 'map [containerPort,protocol] containerPort merge'],
    [`${core}.Container/env`, 'map [name] name merge'],
    [`${core}.Container/command`, 'atomic [] - -'],
    [`${core}.Container/volumeMounts`, 'map [mountPath] mountPath merge'],
    [`${core}.ServiceSpec/ports`, 'map [port,protocol] port merge'],
    [`${core}.ServiceSpec/selector`, 'map atomic - -'],
    [`${core}.PersistentVolumeSpec/claimRef`, 'struct - -'],
    [`${core}.EnvVarSource/configMapKeyRef`, 'struct atomic - -'],
    ['io.k8s.api.apps.v1.DeploymentSpec/strategy', 'struct - retainKeys'],
    ['io.k8s.api.apps.v1.DeploymentSpec/selector', 'struct atomic - -'],
    [`${meta}.ObjectMeta/finalizers`, 'set [] - merge'],
    [`${meta}.ObjectMeta/ownerReferences`, 'map [uid] uid merge'],
    [`${meta}.ObjectMeta/labels`, 'map - -'],
  ])('%s', (path, rules) => expect(mergeRules(path)).toBe(rules));
});

test('list-map keys that may be absent have their default', () => {
  expect(field(`${core}.ContainerPort/protocol`).default).toBe('TCP');
  expect(field(`${core}.ServicePort/protocol`).default).toBe('TCP');
});

test('every type of the table resolves, with links all the way down', () => {
  const seen = new Set<Schema>();
  const visit = (schema: Schema): void => {
    if (seen.has(schema)) return;
    seen.add(schema);
    if (schema.type === 'list') visit(schema.items);
    else if (schema.type === 'map') visit(schema.values);
    else if (schema.type === 'struct') for (const { schema: child } of schema.fields.values()) visit(child);
  };
  const structs = Object.entries(typeTable()).filter(([, { type, format }]) => type === 'object' && format === undefined);
  for (const [name] of structs) if (!/\.(FieldsV1|Patch|RawExtension)$/.test(name)) visit(schemas.struct(name));
  expect(seen.size).toBeGreaterThan(750);
});

test('the same name gives the same node, an unknown name throws', () => {
  expect(schemas.struct(`${core}.Pod`)).toBe(schemas.struct(`${core}.Pod`));
  expect(() => schemas.struct(`${core}.Nope`)).toThrow('no struct type');
});

test('every override names a field that exists', () => {
  for (const [type, fields] of Object.entries(overridesOf())) {
    const known = schemas.struct(type).fields;
    for (const name of Object.keys(fields)) expect(known.has(name), `${type}.${name}`).toBe(true);
  }
});

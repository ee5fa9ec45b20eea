import type { Schema } from './schema.ts';

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  any: 'runtime.RawExtension',
};

/** How Go's decoder names the type in an error: `[]v1.Container`, `map[string]string`. */
export function goTypeOf(schema: Schema): string {
  switch (schema.type) {
    case 'struct':
      return schema.name.split('.').slice(-2).join('.');
    case 'list':
      return `[]${goTypeOf(schema.items)}`;
    case 'map':
      return `map[string]${goTypeOf(schema.values)}`;
    default:
      return scalars[schema.type] ?? schema.type;
  }
}

import { type FactTable, newSchemaSource, type SchemaSource, type StructSchema } from '@orrery/apimachinery';
import { loadTypes } from './generated/tables/types.ts';
import { metricsTypes } from './metrics-types.ts';
import { overridesOf } from './overrides.ts';

let table: FactTable | undefined; // Parsed once, never changed.
let source: SchemaSource | undefined;

/** Every type of Kubernetes 1.36, as the facts state it. Parsed on first use (about 2 ms). */
export function typeTable(): FactTable {
  table ??= { ...(loadTypes() as FactTable), ...metricsTypes };
  return table;
}

/** Schemas of every type of Kubernetes 1.36, by names like `io.k8s.api.core.v1.Pod`. Costs nothing until the first use. */
export const schemas: SchemaSource = {
  struct(name: string): StructSchema {
    source ??= newSchemaSource(typeTable(), overridesOf());
    return source.struct(name);
  },
};

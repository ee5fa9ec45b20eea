import type { Descriptions } from '@orrery/api';
import type { FactTable, SchemaSource } from '@orrery/apimachinery';

/** What documents are made of, besides the definitions. */
export interface OpenApiTypes {
  readonly types: FactTable;
  readonly schemas: SchemaSource;
  readonly descriptions: Descriptions;
}

/** JSON of a document under construction. */
export type Doc = Record<string, unknown>;

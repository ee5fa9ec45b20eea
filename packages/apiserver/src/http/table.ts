import { type KubeObject, type ListMeta, newBadRequest } from '@orrery/apimachinery';
import type { Column, ResourceDefinition } from '../definition.ts';
import type { Encoded } from '../handler.ts';
import type { Conversion } from './negotiation.ts';
import { partialMetadataOf } from './partial-metadata.ts';

/** What a row carries beside its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** @throws {StatusError} 400 for an unknown value. */
export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  if (value === '') return 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  const text = `includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw newBadRequest(`Unable to convert to Table as requested: ${text}`);
}

/** Columns of kinds that name none. Source: upstream's default table convertor. */
const defaultColumns: readonly Column<KubeObject>[] = [
  {
    name: 'Name',
    format: 'name',
    description:
      'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
    cell: ({ metadata }) => metadata.name,
  },
  {
    name: 'Created At',
    type: 'date',
    description:
      'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
    cell: ({ metadata }) => metadata.creationTimestamp ?? null,
  },
];

const columnsOf = (definition: ResourceDefinition): readonly Column<KubeObject>[] => definition.columns ?? defaultColumns;

function columnDefinition({ name, type, format, description, priority }: Column<KubeObject>): object {
  return { name, type: type ?? 'string', format: format ?? '', description: description ?? '', priority: priority ?? 0 };
}

export interface TableRequest {
  readonly definition: ResourceDefinition;
  readonly form: Conversion;
  readonly include: IncludeObject;
  readonly nowMs: number;
  /** Column definitions come once in a watch. */
  readonly withHeaders: boolean;
  /** Rows with nothing in their cells. @default false */
  readonly blank?: boolean;
}

/** A Table of these objects, as pieces of JSON. */
export function tablePieces(request: TableRequest, metadata: ListMeta, items: readonly Encoded[]): Buffer[] {
  const { definition, form, withHeaders } = request;
  const columns = columnsOf(definition);
  const headers = withHeaders ? JSON.stringify(columns.map(columnDefinition)) : 'null';
  const version = JSON.stringify(`meta.k8s.io/${form.version}`);
  const head = `{"kind":"Table","apiVersion":${version},"metadata":${JSON.stringify(metadata)},"columnDefinitions":${headers},"rows":[`;
  const pieces: Buffer[] = [Buffer.from(head)];
  for (const [index, item] of items.entries()) pieces.push(...rowPieces(request, columns, item, index === 0));
  pieces.push(Buffer.from(']}'));
  return pieces;
}

function rowPieces(
  { form, include, nowMs, blank }: TableRequest,
  columns: readonly Column<KubeObject>[],
  item: Encoded,
  first: boolean,
): Buffer[] {
  const cells = JSON.stringify(columns.map((column) => (blank === true ? null : column.cell(item.object, nowMs))));
  const start = Buffer.from(`${first ? '' : ','}{"cells":${cells},"object":`);
  const object = include === 'None' ? nullPiece : include === 'Object' ? item.json : partialMetadataOf(item, form).json;
  return [start, object, rowEnd];
}

const nullPiece = Buffer.from('null');
const rowEnd = Buffer.from('}');

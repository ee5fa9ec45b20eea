import type { ListMeta } from '@orrery/apimachinery';
import { StatusError } from '@orrery/apimachinery';
import type { ResourceDefinition } from '../definition.ts';
import type { ApiResult, Encoded } from '../handler.ts';
import { encodeValue, listPieces } from './encode.ts';
import type { Accepted, Conversion } from './negotiation.ts';
import { partialMetadataOf } from './partial-metadata.ts';
import { type IncludeObject, includeObjectOf, tablePieces } from './table.ts';

/** The pieces of a JSON answer without its final newline, and the object they are, for other formats. */
export interface JsonAnswer {
  readonly pieces: readonly (Buffer | string)[];
}

export interface FormContext {
  readonly definition: ResourceDefinition;
  readonly query: URLSearchParams;
  readonly nowMs: number;
}

/** One object in the form asked for. */
export function objectPieces(item: Encoded, { as }: Accepted, context: FormContext): readonly Buffer[] {
  if (as === undefined) return [item.json];
  if (as.kind === 'Table') return tableOf(as, context, { resourceVersion: item.object.metadata.resourceVersion ?? '' }, [item]);
  if (as.kind === 'PartialObjectMetadata') return [partialMetadataOf(item, as).json];
  throw new StatusError('NotAcceptable', 'you requested PartialObjectMetadataList, but the requested object is not a list');
}

type ListResult = Extract<ApiResult, { readonly type: 'list' }>;

/** One list in the form asked for. */
export function listFormPieces(list: ListResult, { as }: Accepted, context: FormContext): readonly Buffer[] {
  if (as === undefined) return listPieces(list.listKind, list.apiVersion, list.metadata, list.items);
  if (as.kind === 'Table') return tableOf(as, context, list.metadata, list.items);
  if (as.kind === 'PartialObjectMetadata') {
    throw new StatusError('NotAcceptable', 'you requested PartialObjectMetadata, but the requested object is a list');
  }
  const items = list.items.map((item) => partialMetadataOf(item, as));
  return listPieces('PartialObjectMetadataList', `meta.k8s.io/${as.version}`, list.metadata, items);
}

function tableOf(form: Conversion, { definition, query, nowMs }: FormContext, metadata: ListMeta, items: readonly Encoded[]): Buffer[] {
  return tablePieces({ definition, form, include: includeObjectOf(query), nowMs, withHeaders: true }, metadata, items);
}

/** What a watch does to each object: nothing, its metadata, or a Table of one row whose first one names the columns. */
export function watchTransform({ as }: Accepted, context: FormContext, now: () => number): ((item: Encoded) => Encoded) | undefined {
  if (as === undefined) return undefined;
  if (as.kind === 'PartialObjectMetadata') return (item) => partialMetadataOf(item, as);
  if (as.kind !== 'Table') {
    throw new StatusError('NotAcceptable', 'you requested PartialObjectMetadataList, but the requested object is not a list');
  }
  const include: IncludeObject = includeObjectOf(context.query);
  let first = true;
  return (item) => {
    const request = { definition: context.definition, form: as, include, nowMs: now(), withHeaders: first };
    first = false;
    const pieces = tablePieces(request, { resourceVersion: item.object.metadata.resourceVersion ?? '' }, [item]);
    return { object: item.object, revision: item.revision, json: Buffer.concat(pieces) };
  };
}

export { encodeValue };

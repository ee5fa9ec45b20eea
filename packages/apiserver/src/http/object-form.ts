import { type ListMeta, StatusError } from '@orrery/apimachinery';
import type { ResourceDefinition } from '../definition.ts';
import type { ApiResult, Encoded, EncodedEvent } from '../handler.ts';
import { type AnswerBody, itemBody, listBody } from './encoding/answer-body.ts';
import type { Accepted, Conversion } from './negotiation.ts';
import { partialMetadataOf } from './partial-metadata.ts';
import { type IncludeObject, includeObjectOf, tablePieces } from './table.ts';

export interface FormContext {
  readonly definition: ResourceDefinition;
  readonly query: URLSearchParams;
  readonly nowMs: number;
}

const notAList = (): StatusError =>
  new StatusError('NotAcceptable', 'you requested PartialObjectMetadataList, but the requested object is not a list');

/** One object in the form asked for. */
export function objectBody(item: Encoded, { as }: Accepted, context: FormContext): AnswerBody {
  if (as === undefined) return itemBody(item);
  if (as.kind === 'Table') return tableBody(as, context, { resourceVersion: item.object.metadata.resourceVersion ?? '' }, [item]);
  if (as.kind === 'PartialObjectMetadata') return itemBody(partialMetadataOf(item, as));
  throw notAList();
}

type ListResult = Extract<ApiResult, { readonly type: 'list' }>;

/** One list in the form asked for. */
export function listFormBody(list: ListResult, { as }: Accepted, context: FormContext): AnswerBody {
  if (as === undefined) return listBody(list.listKind, list.apiVersion, list.metadata, list.items);
  if (as.kind === 'Table') return tableBody(as, context, list.metadata, list.items);
  if (as.kind === 'PartialObjectMetadata') {
    throw new StatusError('NotAcceptable', 'you requested PartialObjectMetadata, but the requested object is a list');
  }
  const items = list.items.map((item) => partialMetadataOf(item, as));
  return listBody('PartialObjectMetadataList', `meta.k8s.io/${as.version}`, list.metadata, items);
}

function tableBody(form: Conversion, { definition, query, nowMs }: FormContext, metadata: ListMeta, items: readonly Encoded[]): AnswerBody {
  const pieces = tablePieces({ definition, form, include: includeObjectOf(query), nowMs, withHeaders: true }, metadata, items);
  return {
    json: () => pieces,
    protobuf() {
      throw new StatusError('NotAcceptable', 'a Table has no protobuf form');
    },
  };
}

/** What a watch does to each object: nothing, its metadata, or a Table of one row whose first one names the columns. */
export function watchTransform({ as }: Accepted, context: FormContext, now: () => number): ((event: EncodedEvent) => Encoded) | undefined {
  if (as === undefined) return undefined;
  if (as.kind === 'PartialObjectMetadata') return ({ item }) => partialMetadataOf(item, as);
  if (as.kind !== 'Table') throw notAList();
  const include: IncludeObject = includeObjectOf(context.query);
  let first = true;
  return ({ type, item }) => {
    const blank = type === 'BOOKMARK'; // It is no object of the kind: there is nothing to show in its cells.
    const request = { definition: context.definition, form: as, include, nowMs: now(), withHeaders: first, blank };
    first = false;
    const pieces = tablePieces(request, { resourceVersion: item.object.metadata.resourceVersion ?? '' }, [item]);
    return { object: item.object, revision: item.revision, json: Buffer.concat(pieces) };
  };
}

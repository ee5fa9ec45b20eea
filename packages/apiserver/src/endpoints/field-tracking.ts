import {
  type Draft,
  decodeStruct,
  type FieldSet,
  fieldSetOfPaths,
  fieldsOf,
  type JsonObject,
  type KubeObject,
  type ManagedFieldsEntry,
  newBadRequest,
  serverSideApply,
  strictApplyError,
  type TrackOptions,
  trackUpdate,
} from '@orrery/apimachinery';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { checkAppliedType } from './apply-patch.ts';
import { type WriteRequest, warn } from './write-request.ts';

/** Records in `metadata.managedFields` who owns the fields that a create, update or patch sets. @param old - Absent on create. */
export function trackFields(request: WriteRequest, draft: Draft<KubeObject>, old: KubeObject | undefined): void {
  const { schema } = request.endpoint;
  const live = old === undefined ? undefined : (fieldsOf(old) as JsonObject);
  setEntries(draft, trackUpdate(schema, live, fieldsOf(draft) as JsonObject, optionsOf(request)));
}

/** The object that server-side apply makes of `old`, owners recorded, defaults not yet set. @throws StatusError */
export function serverSideApplied(request: WriteRequest, old: KubeObject | undefined): Draft<KubeObject> {
  const { endpoint, call } = request;
  const { schema, definition } = endpoint;
  const { kind } = definition;
  checkAppliedType(call.body, { apiVersion: endpoint.apiVersion, kind });
  const { object, managedFields } = serverSideApply(schema, old === undefined ? undefined : (fieldsOf(old) as JsonObject), call.body, {
    ...optionsOf(request),
    force: call.options?.force,
    kind,
  });
  judgeDuplicates(request);
  const draft = decodeStruct(schema, { ...object, apiVersion: endpoint.apiVersion, kind }).object as unknown as Draft<KubeObject>;
  setEntries(draft, managedFields);
  return draft;
}

function judgeDuplicates(request: WriteRequest): void {
  const { duplicates = [], options } = request.call;
  const directive = options?.fieldValidation ?? 'Warn';
  if (duplicates.length === 0 || directive === 'Ignore') return;
  if (directive === 'Strict') throw newBadRequest(strictApplyError(duplicates));
  for (const duplicate of duplicates) warn(request, duplicate);
}

const optionsOf = (request: WriteRequest): TrackOptions => ({
  manager: request.manager,
  apiVersion: request.endpoint.apiVersion,
  subresource: request.subresource,
  time: request.context.now,
  ignore: resetFields(request.endpoint, request.subresource),
});

function setEntries({ metadata }: Draft<KubeObject>, entries: readonly ManagedFieldsEntry[]): void {
  if (entries.length === 0) delete metadata.managedFields;
  else metadata.managedFields = entries as Draft<ManagedFieldsEntry[]>;
}

const resets = new WeakMap<ResourceEndpoint, { readonly main: FieldSet; readonly status: FieldSet }>();

/** What a write to this part does not take from the client, so that nobody comes to own it there. Source: GetResetFields. */
function resetFields(endpoint: ResourceEndpoint, subresource: string): FieldSet | undefined {
  if (endpoint.definition.status === undefined) return undefined;
  let known = resets.get(endpoint);
  if (known === undefined) {
    const others = [...endpoint.schema.fields.keys()].filter((field) => !['apiVersion', 'kind', 'metadata', 'status'].includes(field));
    known = { main: fieldSetOfPaths([['status']]), status: fieldSetOfPaths(others.map((field) => [field])) };
    resets.set(endpoint, known);
  }
  if (subresource === 'status') return known.status;
  return subresource === '' || subresource === 'scale' ? known.main : undefined;
}

import {
  type Draft,
  decodeStruct,
  isJsonObject,
  type Json,
  type JsonObject,
  type KubeObject,
  newBadRequest,
  type StructSchema,
  strictDecodingError,
} from '@orrery/apimachinery';
import { type WriteRequest, warn } from './write-request.ts';

/** Refuses what strict field validation complains of, in the words of the verb. */
type Refuse = (complaints: readonly string[]) => never;

/**
 * The body of a create or an update as an object of the resource: a copy that belongs to the request, defaults not yet set.
 * @throws StatusError BadRequest
 */
export function decodeObject(request: WriteRequest): Draft<KubeObject> {
  const { call, endpoint } = request;
  const { kind } = endpoint.definition;
  const { apiVersion } = endpoint;
  const body = checkType(call.body, { apiVersion, kind });
  const { version } = endpoint.definition;
  return decodeAs(request, endpoint.schema, body, call.duplicates, (complaints) => {
    throw newBadRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${strictDecodingError(complaints)}`);
  }) as Draft<KubeObject>;
}

/** Decodes by `schema` and judges unknown and duplicate fields by `fieldValidation` (default: Warn). */
export function decodeAs(
  request: WriteRequest,
  schema: StructSchema,
  value: Json,
  duplicates: readonly string[] | undefined,
  refuse: Refuse,
): Draft<JsonObject> {
  const { object, unknown } = decodeStruct(schema, value, { duplicates });
  keepReset(object, value);
  judgeComplaints(request, unknown, refuse);
  return object;
}

/** Refuses, warns of or ignores what strict decoding complains of. */
export function judgeComplaints(request: WriteRequest, complaints: readonly string[], refuse: Refuse): void {
  const directive = request.call.options?.fieldValidation ?? 'Warn';
  if (complaints.length === 0 || directive === 'Ignore') return;
  if (directive === 'Strict') refuse(complaints);
  for (const complaint of complaints) warn(request, complaint);
}

/** An empty list of field owners means to forget them all: decoding drops empty lists, so it is put back. */
export function keepReset(object: Draft<JsonObject>, value: Json): void {
  const sent = isJsonObject(value) ? value['metadata'] : undefined;
  const metadata = object['metadata'];
  if (!isJsonObject(sent) || !isJsonObject(metadata)) return;
  const owners = sent['managedFields'];
  if (Array.isArray(owners) && owners.length === 0) (metadata as Draft<JsonObject>)['managedFields'] = [];
}

/** Kind and apiVersion may be absent: the URL names them. What is there must fit. */
function checkType(body: Json | undefined, expected: { readonly apiVersion: string; readonly kind: string }): JsonObject {
  if (!isJsonObject(body)) throw newBadRequest(`the body must be a JSON object of kind ${expected.kind}`);
  const { apiVersion, kind } = body;
  if (typeof apiVersion === 'string' && apiVersion !== '' && apiVersion !== expected.apiVersion) {
    throw newBadRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`);
  }
  if (typeof kind === 'string' && kind !== '' && kind !== expected.kind) {
    const version = expected.apiVersion.slice(expected.apiVersion.indexOf('/') + 1);
    throw newBadRequest(
      `${kind} in version "${version}" cannot be handled as a ${expected.kind}: converting (${version}.${kind}) to ` +
        `(${version}.${expected.kind}): unknown conversion`,
    );
  }
  return apiVersion === undefined || kind === undefined || apiVersion === '' || kind === '' ? { ...body, ...expected } : body;
}

import type { Doc } from './source.ts';

/**
 * A Swagger document as protobuf, which is what clients ask for first: package `openapi.v2` of the gnostic project. Covers
 * what our own documents hold. Source of the numbers: OpenAPIv2.proto.
 */
export function encodeSwagger(document: Doc): Buffer {
  return message([
    text(1, document['swagger']),
    field(2, info(asDoc(document['info']))),
    field(8, message(entries(document['paths']).map(([path, item]) => named(2, path, pathItem(item))))),
    field(9, message(entries(document['definitions']).map(([name, item]) => named(1, name, schema(item))))),
    ...asList(document['security']).map((requirement) => field(12, securityRequirement(asDoc(requirement)))),
    field(13, message(entries(document['securityDefinitions']).map(([name, item]) => named(1, name, field(2, apiKey(item)))))),
  ]);
}

const nothing = Buffer.alloc(0);

function asDoc(value: unknown): Doc {
  return typeof value === 'object' && value !== null ? (value as Doc) : {};
}
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const entries = (value: unknown): (readonly [string, Doc])[] => Object.entries(asDoc(value)).map(([key, child]) => [key, asDoc(child)]);

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  out.push(rest);
  return Buffer.from(out);
}

const message = (fields: readonly Buffer[]): Buffer => Buffer.concat(fields);

/** A length-delimited field. Empty messages are written: their presence counts. */
const field = (number: number, body: Buffer): Buffer => Buffer.concat([varint(number * 8 + 2), varint(body.length), body]);
const text = (number: number, value: unknown): Buffer =>
  typeof value === 'string' && value !== '' ? field(number, Buffer.from(value)) : nothing;
const flag = (number: number, value: unknown): Buffer => (value === true ? Buffer.concat([varint(number * 8), varint(1)]) : nothing);
const texts = (number: number, values: unknown): Buffer =>
  Buffer.concat(asList(values).map((value) => field(number, Buffer.from(String(value)))));

/** An entry of what is a map in JSON: its key, and the value's message. */
const named = (number: number, name: string, value: Buffer): Buffer => field(number, message([text(1, name), field(2, value)]));
/** Any JSON, as YAML text. */
const anything = (value: unknown): Buffer => text(2, `${JSON.stringify(value)}\n`);

/** Members whose names begin with `x-`. */
const extensions = (number: number, doc: Doc): Buffer =>
  Buffer.concat(
    Object.entries(doc)
      .filter(([name]) => name.startsWith('x-'))
      .map(([name, value]) => named(number, name, anything(value))),
  );

const info = (doc: Doc): Buffer => message([text(1, doc['title']), text(2, doc['version'])]);

const apiKey = (doc: Doc): Buffer => message([text(1, doc['type']), text(2, doc['name']), text(3, doc['in']), text(4, doc['description'])]);

const securityRequirement = (doc: Doc): Buffer => message(Object.entries(doc).map(([name, scopes]) => named(1, name, texts(1, scopes))));

const methods: readonly (readonly [string, number])[] = [
  ['get', 2],
  ['put', 3],
  ['post', 4],
  ['delete', 5],
  ['options', 6],
  ['head', 7],
  ['patch', 8],
];

function pathItem(doc: Doc): Buffer {
  const operations = methods.map(([method, number]) =>
    doc[method] === undefined ? nothing : field(number, operation(asDoc(doc[method]))),
  );
  return message([...operations, ...asList(doc['parameters']).map((item) => field(9, parametersItem(asDoc(item)))), extensions(10, doc)]);
}

function operation(doc: Doc): Buffer {
  return message([
    texts(1, doc['tags']),
    text(3, doc['description']),
    text(5, doc['operationId']),
    texts(6, doc['produces']),
    texts(7, doc['consumes']),
    ...asList(doc['parameters']).map((item) => field(8, parametersItem(asDoc(item)))),
    field(9, message(entries(doc['responses']).map(([code, item]) => named(1, code, field(1, response(item)))))),
    texts(10, doc['schemes']),
    extensions(13, doc),
  ]);
}

const response = (doc: Doc): Buffer =>
  message([text(1, doc['description']), doc['schema'] === undefined ? nothing : field(2, field(1, schema(asDoc(doc['schema']))))]);

/** ParametersItem{parameter{body | nonBody{query | path}}}. */
function parametersItem(doc: Doc): Buffer {
  if (doc['in'] === 'body') {
    const body = [text(1, doc['description']), text(2, doc['name']), text(3, 'body'), flag(4, doc['required'])];
    return field(1, field(1, message([...body, field(5, schema(asDoc(doc['schema'])))])));
  }
  const head = [flag(1, doc['required']), text(2, doc['in']), text(3, doc['description']), text(4, doc['name'])];
  // The two kinds have the same fields, but query parameters have one more in the middle.
  if (doc['in'] === 'path') return field(1, field(2, field(4, message([...head, text(5, doc['type']), flag(19, doc['uniqueItems'])]))));
  return field(1, field(2, field(3, message([...head, text(6, doc['type']), flag(20, doc['uniqueItems'])]))));
}

function schema(doc: Doc): Buffer {
  return message([
    text(1, doc['$ref']),
    text(2, doc['format']),
    text(4, doc['description']),
    texts(19, doc['required']),
    ...asList(doc['enum']).map((value) => field(20, anything(value))),
    doc['additionalProperties'] === undefined ? nothing : field(21, field(1, schema(asDoc(doc['additionalProperties'])))),
    typeof doc['type'] === 'string' ? field(22, texts(1, [doc['type']])) : nothing,
    doc['items'] === undefined ? nothing : field(23, field(1, schema(asDoc(doc['items'])))),
    doc['properties'] === undefined
      ? nothing
      : field(25, message(entries(doc['properties']).map(([name, child]) => named(1, name, schema(child))))),
    extensions(31, doc),
  ]);
}

import type { GroupEntry, VersionEntry } from '../discovery/catalog.ts';
import { groupWord, KindIndex, type Operation, type PathItem, pathsOf } from './operations.ts';
import { parameterV2, parameterV3 } from './parameters.ts';
import { SchemaRenderer } from './schemas.ts';
import type { Doc, OpenApiTypes } from './source.ts';

const objectMedia = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const streamMedia = [...objectMedia, 'application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];
const patchMedia = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const answerTexts: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

const consumes = ({ media }: Operation): readonly string[] => (media === 'patch' ? patchMedia : ['*/*']);
const produces = ({ media }: Operation): readonly string[] =>
  media === 'stream' ? streamMedia : media === 'connect' ? ['*/*'] : media === 'text' ? ['text/plain', ...objectMedia] : objectMedia;

/** What both versions say of an operation. */
const common = (operation: Operation, tag: string): Doc => ({
  description: operation.description,
  operationId: operation.id,
  tags: [tag],
  ...(operation.action === undefined ? {} : { 'x-kubernetes-action': operation.action }),
  ...(operation.kind === undefined ? {} : { 'x-kubernetes-group-version-kind': operation.kind }),
});

/** Version of the server as documents name it, and its types. */
export interface DocumentContext {
  readonly version: string;
  readonly types: OpenApiTypes;
}

/** `/openapi/v2`: one Swagger document for everything. */
export function swaggerDocument(catalog: readonly GroupEntry[], { version, types }: DocumentContext): Doc {
  const renderer = new SchemaRenderer(types, 2);
  const kinds = new KindIndex(types.types);
  const paths: Doc = {};
  for (const { group, versions } of catalog) {
    for (const entry of versions) {
      for (const item of [...pathsOf(group, entry, kinds), discoveryPath(group, entry)]) paths[item.path] = pathV2(item, renderer);
    }
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths,
    definitions: renderer.all(),
    securityDefinitions: { BearerToken: bearerToken },
    security: [{ BearerToken: [] }],
  };
}

const bearerToken = { description: 'Bearer Token authentication', in: 'header', name: 'authorization', type: 'apiKey' };

function pathV2({ tag, parameters, operations }: PathItem, renderer: SchemaRenderer): Doc {
  const out: Doc = { parameters: parameters.map(parameterV2) };
  for (const operation of operations) out[operation.method] = operationV2(operation, tag, renderer);
  return out;
}

function operationV2(operation: Operation, tag: string, renderer: SchemaRenderer): Doc {
  const { body } = operation;
  const parameters = operation.parameters.map(parameterV2);
  if (body !== undefined) {
    parameters.unshift({
      in: 'body',
      name: 'body',
      ...(body.optional === true ? {} : { required: true }),
      schema: renderer.reference(body.type),
    });
  }
  const responses: Doc = {};
  for (const [code, type] of Object.entries(operation.answers)) {
    responses[code] = { description: answerTexts[code], schema: type === '' ? { type: 'string' } : renderer.reference(type) };
  }
  responses['401'] = { description: 'Unauthorized' };
  return {
    ...common(operation, tag),
    schemes: ['https'],
    consumes: consumes(operation),
    produces: produces(operation),
    ...(parameters.length === 0 ? {} : { parameters }),
    responses,
  };
}

/** `/openapi/v3/apis/<group>/<version>`: a document of its own for each. */
export function openApiDocument(group: string, entry: VersionEntry, { version, types }: DocumentContext): Doc {
  const renderer = new SchemaRenderer(types, 3);
  const items = [...pathsOf(group, entry, new KindIndex(types.types)), discoveryPath(group, entry)];
  const paths = Object.fromEntries(items.map((item) => [item.path, pathV3(item, renderer)]));
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths,
    components: { schemas: renderer.all(), securitySchemes: { BearerToken: bearerToken } },
    security: [{ BearerToken: [] }],
  };
}

function pathV3({ tag, parameters, operations }: PathItem, renderer: SchemaRenderer): Doc {
  const out: Doc = { parameters: parameters.map(parameterV3) };
  for (const operation of operations) out[operation.method] = operationV3(operation, tag, renderer);
  return out;
}

function operationV3(operation: Operation, tag: string, renderer: SchemaRenderer): Doc {
  const { body } = operation;
  const content = (media: readonly string[], type: string): Doc =>
    Object.fromEntries(media.map((name) => [name, { schema: type === '' ? { type: 'string' } : renderer.reference(type) }]));
  const responses: Doc = {};
  for (const [code, type] of Object.entries(operation.answers)) {
    responses[code] = { description: answerTexts[code], content: content(produces(operation), type) };
  }
  responses['401'] = { description: 'Unauthorized' };
  return {
    ...common(operation, tag),
    ...(operation.parameters.length === 0 ? {} : { parameters: operation.parameters.map(parameterV3) }),
    ...(body === undefined
      ? {}
      : { requestBody: { content: content(consumes(operation), body.type), ...(body.optional === true ? {} : { required: true }) } }),
    responses,
  };
}

/** The discovery document of the group and version, which is a path like any other. */
function discoveryPath(group: string, { version }: VersionEntry): PathItem {
  const root = group === '' ? `/api/${version}/` : `/apis/${group}/${version}/`;
  const word = groupWord(group);
  const name = `${word.charAt(0).toUpperCase()}${word.slice(1)}${version.charAt(0).toUpperCase()}${version.slice(1)}`;
  return {
    path: root,
    tag: `${word}_${version}`,
    parameters: [],
    operations: [
      {
        method: 'get',
        id: `get${name}APIResources`,
        description: 'get available resources',
        parameters: [],
        media: 'object',
        answers: { 200: `${meta}.APIResourceList` },
      },
    ],
  };
}

import { apiVersionOf, type Json, type ParsedJson, parseJson, parseYaml, unrecognizedObject } from '@orrery/apimachinery';
import type { PatchType } from '@orrery/client';
import type { ResourceDefinition } from '../definition.ts';
import type { ServerContext } from './context.ts';
import { type Exchange, headerOf } from './exchange.ts';
import { bodyFormatOf, type Format } from './negotiation.ts';
import { readBody } from './request-body.ts';

export interface DecodedBody {
  /** Belongs to the request. */
  readonly value: Json;
  /** Keys that stood twice, as texts for the strict decoding error. */
  readonly duplicates: readonly string[];
}

export interface BodyOptions {
  readonly definition: ResourceDefinition;
  /** Undefined: the body is an object. */
  readonly patchType: PatchType | undefined;
  /** What the body is, where only one kind will do. */
  readonly kind: string | undefined;
  /** No body is fine. */
  readonly optional: boolean;
}

/** @throws {StatusError} 413, 415, or 400 for what cannot be parsed. */
export async function readAndDecode(context: ServerContext, exchange: Exchange, options: BodyOptions): Promise<DecodedBody | undefined> {
  const { request, signal } = exchange;
  const { patchType, optional } = options;
  const format = patchType === undefined ? bodyFormatOf(headerOf(request, 'content-type')) : patchType === 'apply' ? 'yaml' : 'json';
  const bytes = await readBody(request, context.limits.bodyBytesMax, signal);
  if (optional && bytes.length === 0) return undefined;
  return decode(context, bytes, format, options);
}

function decode(
  { protobuf }: ServerContext,
  bytes: Buffer,
  format: Format,
  { definition, patchType, kind }: BodyOptions,
): DecodedBody | Promise<ParsedJson> {
  if (format === 'protobuf') {
    const describe = (problem: string): string => unrecognizedObject(kind ?? definition.kind, problem, bytes);
    const expected = kind === undefined ? undefined : { apiVersion: apiVersionOf(definition), kind };
    return { value: protobuf().decode(bytes, { expected, describe }).value, duplicates: [] };
  }
  const before = format === 'json' ? "couldn't get version/kind; json parse error: " : '';
  const whole = (problem: string): string => unrecognizedObject(kind ?? definition.kind, `${before}${problem}`, bytes);
  const describe = patchType === undefined ? whole : undefined;
  const options = { detectDuplicates: true, ...(describe === undefined ? {} : { describe }) };
  return format === 'yaml' ? parseYaml(bytes, options) : parseJson(bytes, options);
}

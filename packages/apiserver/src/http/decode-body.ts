import { type Json, parseJson } from '@orrery/apimachinery';
import type { PatchType } from '@orrery/client';
import type { ResourceDefinition } from '../definition.ts';
import { type Exchange, headerOf } from './exchange.ts';
import { bodyFormatOf, type Format, unsupportedMediaType } from './negotiation.ts';
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
  readonly bodyBytesMax: number;
  /** No body is fine. */
  readonly optional: boolean;
}

/** @throws {StatusError} 413, 415, or 400 for what cannot be parsed. */
export async function readAndDecode(exchange: Exchange, options: BodyOptions): Promise<DecodedBody | undefined> {
  const { request, signal } = exchange;
  const contentType = headerOf(request, 'content-type');
  const format = options.patchType === undefined ? undefined : options.patchType === 'apply' ? 'yaml' : 'json';
  const bytes = await readBody(request, options.bodyBytesMax, signal);
  if (options.optional && bytes.length === 0) return undefined;
  return decode(bytes, format ?? bodyFormatOf(contentType));
}

function decode(bytes: Buffer, format: Format): DecodedBody {
  if (format !== 'json') throw unsupportedMediaType(['application/json']);
  return parseJson(bytes, { detectDuplicates: true });
}

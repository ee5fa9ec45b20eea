import { isStatusError } from '../errors/status-error.ts';
import type { Json } from '../json.ts';
import { canonicalQuantity } from '../quantity/quantity.ts';
import { formatMicroTime, formatTime, parseRfc3339 } from '../time.ts';
import type { DecodeContext } from './decode-context.ts';

/** Turns one JSON value (never null) into the stored form; undefined means absent. */
export type Decoder = (value: Json, context: DecodeContext) => unknown;

/** Go's word for a JSON value. */
export function kindOf(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'object' ? 'object' : typeof value;
}

export const decodeString =
  (goType: string): Decoder =>
  (value, context) =>
    typeof value === 'string' ? value : context.mismatch(kindOf(value), goType);

export const decodeBoolean: Decoder = (value, context) => (typeof value === 'boolean' ? value : context.mismatch(kindOf(value), 'bool'));

export const decodeDouble: Decoder = (value, context) => (typeof value === 'number' ? value : context.mismatch(kindOf(value), 'float64'));

/** @param bits - 32 or 64. Beyond 2^53 a JSON number has already lost its last digits. */
export const decodeInteger =
  (goType: string, bits: 32 | 64): Decoder =>
  (value, context) => {
    if (typeof value !== 'number') return context.mismatch(kindOf(value), goType);
    const limit = 2 ** (bits - 1);
    if (Number.isInteger(value) && value < limit && value >= -limit) return value;
    return context.mismatch(`number ${value}`, goType);
  };

export const decodeIntOrString: Decoder = (value, context) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isInteger(value) && value < 2 ** 31 && value >= -(2 ** 31)) return value;
  const found = typeof value === 'number' ? `number ${value}` : kindOf(value);
  return context.fail(context.mismatchText(found, 'int32'));
};

/** A number is taken as its text, as upstream does. */
export const decodeQuantity: Decoder = (value, context) => {
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : JSON.stringify(value);
  try {
    return canonicalQuantity(text.trim());
  } catch (err) {
    if (isStatusError(err)) return context.fail(err.message);
    throw err;
  }
};

const timeFast = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

export const decodeTime: Decoder = (value, context) => {
  if (typeof value !== 'string') return context.fail(context.mismatchText(kindOf(value), 'string'));
  if (timeFast.test(value) && !value.startsWith('0001')) return value;
  const time = parseRfc3339(value, 'seconds');
  if (typeof time === 'string') return context.fail(time);
  return time.isZero ? undefined : formatTime(time.seconds * 1000);
};

export const decodeMicroTime: Decoder = (value, context) => {
  if (typeof value !== 'string') return context.fail(context.mismatchText(kindOf(value), 'string'));
  const time = parseRfc3339(value, 'micro');
  if (typeof time === 'string') return context.fail(time);
  if (time.isZero) return undefined;
  if (value.endsWith('Z') && value[19] === '.') return value;
  return `${formatMicroTime(time.seconds * 1000).slice(0, 20)}${String(Math.floor(time.nanos / 1000)).padStart(6, '0')}Z`;
};

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Base64 as Go's StdEncoding reads it: line breaks are skipped, the result is canonical. */
export const decodeBytes: Decoder = (value, context) => {
  if (typeof value !== 'string') return context.mismatch(kindOf(value), '[]uint8');
  if (value.length % 4 === 0 && base64.test(value)) {
    return value.endsWith('=') ? Buffer.from(value, 'base64').toString('base64') : value;
  }
  const bad = badBase64At(value);
  if (bad >= 0) return context.save(`illegal base64 data at input byte ${bad}`);
  return Buffer.from(value.replace(/[\r\n]/g, ''), 'base64').toString('base64');
};

/** Position of the byte that Go's decoder rejects, -1 if none. */
function badBase64At(text: string): number {
  const isBreak = (i: number): boolean => text[i] === '\n' || text[i] === '\r';
  let inGroup = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? '';
    if (isBreak(i)) continue;
    if (char !== '=') {
      if (!/[A-Za-z0-9+/]/.test(char)) return byteOffset(text, i);
      inGroup = (inGroup + 1) % 4;
      continue;
    }
    if (inGroup < 2) return i;
    let end = i + 1;
    if (inGroup === 2) {
      while (isBreak(end)) end++;
      if (end === text.length) return text.length;
      if (text[end] !== '=') return end;
      end++;
    }
    while (isBreak(end)) end++;
    return end < text.length ? byteOffset(text, end) : -1;
  }
  return inGroup === 0 ? -1 : text.length - inGroup;
}

const byteOffset = (text: string, index: number): number => Buffer.byteLength(text.slice(0, index));

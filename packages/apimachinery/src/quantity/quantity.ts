import type { ParsedQuantity } from './parser.ts';
import { readQuantity } from './parser.ts';
import type { QuantityFormat } from './suffix.ts';
import { printBinary, printDecimal } from './suffix.ts';

/** An amount of a resource, exact to a billionth. Immutable: made by {@link parseQuantity}. */
export interface Quantity {
  /** Billionths. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
  /** Canonical text: what the API answers with. */
  readonly text: string;
  /** Whole units, rounded away from zero; inexact above 2^53, and never beyond the range of an int64. */
  readonly value: number;
  /** Thousandths, rounded and bounded in the same way. */
  readonly milliValue: number;
}

/** A quantity as objects carry it. JSON numbers are read as their decimal text. */
export type QuantityLike = string | number | Quantity;

const int64Max = 2n ** 63n - 1n;
const nanoPerMilli = 1_000_000n;
const nanoPerUnit = 1_000_000_000n;

/** Texts repeat endlessly (`100m`, `128Mi`): the readings of this many are kept, then forgotten together. */
const cachedMax = 4096;
const cachedLengthMax = 64;
const cache = new Map<string, Quantity>();

/**
 * Reads a quantity such as `100m`, `1.5Gi`, `12e6` or `0.5`.
 * @throws StatusError BadRequest with upstream's texts. Source: resource.ParseQuantity.
 */
export function parseQuantity(text: QuantityLike): Quantity {
  if (typeof text === 'object') return text;
  const key = typeof text === 'number' ? String(text) : text;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const quantity = complete(readQuantity(key));
  if (key.length <= cachedLengthMax) {
    if (cache.size >= cachedMax) cache.clear();
    cache.set(key, quantity);
  }
  return quantity;
}

/** The text that the API server stores and answers for `text`. @throws StatusError BadRequest where it is no quantity. */
export const canonicalQuantity = (text: QuantityLike): string => parseQuantity(text).text;

/** Negative, zero or positive, as for sorting. */
export function compareQuantity(left: QuantityLike, right: QuantityLike): number {
  const a = parseQuantity(left).nano;
  const b = parseQuantity(right).nano;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The sum, in the format of `left` (of `right` where `left` is zero). */
export const addQuantity = (left: QuantityLike, right: QuantityLike): string => combine(left, right, 1n);

/** The difference, which may be negative, in the format of `left` (of `right` where `left` is zero). */
export const subQuantity = (left: QuantityLike, right: QuantityLike): string => combine(left, right, -1n);

/** Whole units, rounded away from zero. See {@link Quantity.value}. */
export const quantityValue = (text: QuantityLike): number => parseQuantity(text).value;

/** Thousandths, rounded away from zero. See {@link Quantity.milliValue}. */
export const quantityMilliValue = (text: QuantityLike): number => parseQuantity(text).milliValue;

/** The quantity of `nano` billionths, written in `format`. */
export const quantityFromNano = (nano: bigint, format: QuantityFormat): Quantity => complete({ nano, format });

/** The quantity of whole units. @param value - A safe integer. */
export const quantityFromValue = (value: number, format: QuantityFormat): Quantity => quantityFromNano(BigInt(value) * nanoPerUnit, format);

/** The quantity of thousandths. @param milli - A safe integer. */
export const quantityFromMilli = (milli: number, format: QuantityFormat): Quantity =>
  quantityFromNano(BigInt(milli) * nanoPerMilli, format);

function combine(left: QuantityLike, right: QuantityLike, sign: bigint): string {
  const a = parseQuantity(left);
  const b = parseQuantity(right);
  return print(a.nano + sign * b.nano, a.nano === 0n ? b.format : a.format);
}

function complete({ nano, format, verbatim }: ParsedQuantity): Quantity {
  return {
    nano,
    format,
    text: verbatim ?? print(nano, format),
    value: scaled(nano, nanoPerUnit),
    milliValue: scaled(nano, nanoPerMilli),
  };
}

/** Binary format gives way to decimal where it would show a small number or lose precision. Source: Quantity.CanonicalizeBytes. */
function print(nano: bigint, format: QuantityFormat): string {
  if (nano === 0n) return '0';
  if (format !== 'BinarySI') return printDecimal(nano, format);
  const limit = 1024n * nanoPerUnit;
  const decimal = (nano > -limit && nano < limit) || nano % nanoPerUnit !== 0n;
  return decimal ? printDecimal(nano, 'DecimalSI') : printBinary(nano / nanoPerUnit);
}

function scaled(nano: bigint, unit: bigint): number {
  let result = nano / unit;
  if (result * unit !== nano) result += nano > 0n ? 1n : -1n;
  if (result > int64Max) return Number(int64Max);
  return Number(result < -int64Max ? -int64Max : result);
}

import { newBadRequest } from '../errors/status-error.ts';

/** How a quantity was written, and is written again: `12Mi`, `12M` or `12e6`. */
export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent';

/** What a suffix stands for: `base ** exponent`. */
export interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']; // 10^-9 … 10^18 in steps of 10^3.
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']; // 2^0 … 2^60 in steps of 2^10.
const decimalExponentMin = -9;
const decimalExponentMax = 18;

/** Exponents further from zero are refused, so that no text makes a number of millions of digits. */
const exponentMax = 1000;

const suffixes: ReadonlyMap<string, Suffix> = new Map<string, Suffix>([
  ...binarySuffixes.slice(1).map((text, index): [string, Suffix] => [text, { base: 2, exponent: 10 * (index + 1), format: 'BinarySI' }]),
  ...decimalSuffixes.map((text, index): [string, Suffix] => [
    text,
    { base: 10, exponent: decimalExponentMin + 3 * index, format: 'DecimalSI' },
  ]),
]);

/** What `text` stands for. @throws StatusError BadRequest for an unknown suffix. */
export function readSuffix(text: string): Suffix {
  const known = suffixes.get(text);
  if (known !== undefined) return known;
  const exponent = /^[eE][+-]?[0-9]+$/.test(text) ? Number(text.slice(1)) : Number.NaN;
  if (!(Math.abs(exponent) <= exponentMax)) throw newBadRequest("unable to parse quantity's suffix");
  return { base: 10, exponent, format: 'DecimalExponent' };
}

/** A whole number of billionths as canonical decimal text: no fraction, the largest exponent that is a multiple of three. */
export function printDecimal(nano: bigint, format: 'DecimalSI' | 'DecimalExponent'): string {
  let digits = nano.toString();
  let exponent = decimalExponentMin;
  while (digits.endsWith('000') && (format === 'DecimalExponent' || exponent < decimalExponentMax)) {
    digits = digits.slice(0, -3);
    exponent += 3;
  }
  if (format === 'DecimalExponent') return exponent === 0 ? digits : `${digits}e${exponent}`;
  return digits + (decimalSuffixes[(exponent - decimalExponentMin) / 3] ?? '');
}

/** A whole number as canonical binary text: the largest power of 1024 that divides it. */
export function printBinary(value: bigint): string {
  let mantissa = value;
  let power = 0;
  while (power < binarySuffixes.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    power++;
  }
  return mantissa.toString() + (binarySuffixes[power] ?? '');
}

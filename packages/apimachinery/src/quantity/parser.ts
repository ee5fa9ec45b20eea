import { newBadRequest, type StatusError } from '../errors/status-error.ts';
import type { QuantityFormat, Suffix } from './suffix.ts';
import { readSuffix } from './suffix.ts';

/** An exact amount, in billionths: finer amounts are rounded away from zero when read. */
export interface ParsedQuantity {
  readonly nano: bigint;
  readonly format: QuantityFormat;
  /** The text itself where upstream would write it again unchanged. */
  readonly verbatim?: string;
}

const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const shape = /^([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;

/** No real amount comes near this length; a bound keeps arithmetic on hostile text cheap. */
const lengthMax = 1000;
const binaryMax = 2n ** 63n - 1n;
const nanoPerUnit = 1_000_000_000n;
/** Digits that an int64 surely holds: upstream's fast path, which decides whether the text is kept. */
const int64Digits = 18;

interface Pieces {
  readonly text: string;
  readonly negative: boolean;
  readonly digits: string;
  readonly fraction: string;
  readonly suffix: Suffix;
}

/** Reads a quantity. @throws StatusError BadRequest with upstream's texts. Source: resource.ParseQuantity. */
export function readQuantity(text: string): ParsedQuantity {
  const pieces = piecesOf(text);
  const nano = exactNano(pieces);
  const signed = pieces.negative ? -nano : nano;
  const below1 = pieces.suffix.format === 'BinarySI' && nano > 0n && nano < nanoPerUnit;
  const format = below1 ? 'DecimalSI' : pieces.suffix.format;
  return keepsText(pieces) ? { nano: signed, format, verbatim: text } : { nano: signed, format };
}

function piecesOf(text: string): Pieces {
  const match = text.length > lengthMax ? null : shape.exec(text);
  if (match === null || text === '') throw failure(wrongFormat);
  const [, sign = '', digits = '', fraction = '', suffixText = ''] = match;
  const suffix = readSuffix(suffixText);
  return { text, negative: sign === '-', digits: digits === '' ? '0' : digits, fraction, suffix };
}

/** The magnitude in billionths, rounded up. */
function exactNano({ digits, fraction, suffix }: Pieces): bigint {
  const mantissa = BigInt(digits + fraction);
  const shift = 9 - fraction.length + (suffix.base === 10 ? suffix.exponent : 0);
  const multiple = suffix.base === 2 ? mantissa << BigInt(suffix.exponent) : mantissa;
  const nano = shift >= 0 ? multiple * 10n ** BigInt(shift) : divideUp(multiple, 10n ** BigInt(-shift));
  const limit = binaryMax * nanoPerUnit;
  return suffix.format === 'BinarySI' && nano > limit ? limit : nano;
}

function divideUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return quotient * divisor === value ? quotient : quotient + 1n;
}

/** Upstream keeps the text of a number that its fast path takes for canonical, `1.500` and `+1` among them. */
function keepsText({ digits, fraction, suffix }: Pieces): boolean {
  const shifted = digits + fraction;
  if (suffix.format === 'BinarySI') {
    if (fraction !== '' || digits.length + Math.trunc((suffix.exponent * 3) / 10) > 14) return false;
    return (Number(digits) & 7) !== 0;
  }
  const scale = suffix.exponent - fraction.length;
  if (shifted.length > int64Digits || scale < -9) return false;
  return scale % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0');
}

const failure = (message: string): StatusError => newBadRequest(message);

import type { Json } from '../json.ts';

const words = new Map<string, boolean | null>();
for (const word of ['y', 'yes', 'true', 'on']) for (const form of casings(word)) words.set(form, true);
for (const word of ['n', 'no', 'false', 'off']) for (const form of casings(word)) words.set(form, false);
for (const word of ['', '~', 'null', 'Null', 'NULL']) words.set(word, null);

function casings(word: string): readonly string[] {
  return [word, word.charAt(0).toUpperCase() + word.slice(1), word.toUpperCase()];
}

const decimal = /^[-+]?(?:0|[1-9][0-9]*)$/;
const prefixed = /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+)$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const notFinite = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/**
 * What a plain YAML scalar means to the parser behind kubectl: YAML 1.1 booleans (`yes`, `on`, `y`), octal `0644` and `0o644`,
 * underscores in numbers, but no base-60 numbers; dates stay text.
 * @returns undefined for an infinite number or NaN, which JSON cannot hold.
 */
export function resolvePlainScalar(text: string): Json | undefined {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return text;
  if (notFinite.test(text)) return undefined;
  if (text.startsWith('.')) return float.test(text) ? Number(text) : text;
  const digits = text.replaceAll('_', '');
  if (decimal.test(digits)) return Number(digits) + 0; // No negative zero.
  const match = prefixed.exec(digits);
  if (match !== null) return withPrefix(match[1] ?? '', (match[2] ?? '').toLowerCase());
  if (!float.test(digits)) return text;
  const value = Number(digits);
  return Number.isFinite(value) ? value : text;
}

function withPrefix(sign: string, digits: string): number {
  const size = Number(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return sign === '-' ? -size : size;
}

/** The JSON key of a plain scalar key: `1` → `"1"`, `yes` → `"true"`. Undefined for null, which is no key. */
export function resolvePlainKey(text: string): string | undefined {
  const value = resolvePlainScalar(text);
  return value === null || value === undefined ? undefined : String(value);
}

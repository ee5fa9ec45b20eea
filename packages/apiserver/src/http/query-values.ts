import { newBadRequest } from '@orrery/apimachinery';

/** Absent, `false` and `0` are false; everything else, the empty string too, is true. Source: upstream's query parameter conversion. */
export function booleanOf(value: string | null): boolean {
  if (value === null) return false;
  const lower = value.toLowerCase();
  return lower !== 'false' && lower !== '0';
}

const int64Max = 9_223_372_036_854_775_807n;

/** @throws {StatusError} 400 with the text of the parser that upstream's clients know. */
export function integerOf(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (!/^[+-]?\d+$/.test(value)) throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  const exact = BigInt(value.startsWith('+') ? value.slice(1) : value);
  if (exact > int64Max || exact < -int64Max - 1n) {
    throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`);
  }
  return Number(exact);
}

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A duration as `1m30s` in milliseconds; undefined when it is malformed. `0` needs no unit. */
export function durationMsOf(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  const term = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
  let total = 0;
  let end = 0;
  for (let match = term.exec(body); match !== null; match = term.exec(body)) {
    total += Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0);
    end = term.lastIndex;
  }
  return end === 0 || end !== body.length ? undefined : sign * total;
}

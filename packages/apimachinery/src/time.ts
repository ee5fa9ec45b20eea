/** RFC 3339 in UTC with whole seconds, truncated, as `metav1.Time`: `2026-01-02T03:04:05Z`. @param ms - Milliseconds since the epoch. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 in UTC with six decimals, as `metav1.MicroTime`. @param ms - Milliseconds since the epoch; its fraction gives the microseconds. */
export function formatMicroTime(ms: number): string {
  const wholeMs = Math.floor(ms);
  const micros = Math.min(999, Math.floor((ms - wholeMs) * 1000));
  return `${new Date(wholeMs).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}Z`;
}

const shape = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/;
const zeroTimeSeconds = -62_135_596_800; // 0001-01-01T00:00:00Z, Go's zero time.

export interface ParsedTime {
  /** Whole seconds since the epoch. */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanos: number;
  /** Go's zero time: serialised as absent. */
  readonly isZero: boolean;
}

/**
 * Parses RFC 3339 as Go's `time.Parse` does.
 * @param layout - The Go layout, which the message names: `seconds` allows any fraction, `micro` demands six decimals.
 * @returns The time, or Go's error text.
 */
export function parseRfc3339(text: string, layout: 'seconds' | 'micro'): ParsedTime | string {
  const match = shape.exec(text);
  if (match === null) return cannotParse(text, layout);
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  if (layout === 'micro' && fraction.length !== 6) return cannotParse(text, layout);
  const range = outOfRange(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second));
  if (range !== undefined) return `parsing time ${JSON.stringify(text)}: ${range} out of range`;
  const local = Date.parse(`${text.slice(0, 19)}Z`) / 1000;
  const seconds = local - zoneSeconds(zone);
  const nanos = Number(fraction.slice(0, 9).padEnd(9, '0'));
  return { seconds, nanos, isZero: seconds === zeroTimeSeconds && nanos === 0 };
}

function outOfRange(year: number, month: number, day: number, hour: number, minute: number, second: number): string | undefined {
  if (month < 1 || month > 12) return 'month';
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()) return 'day'; // The calendar repeats every 400 years.
  if (hour > 23) return 'hour';
  if (minute > 59) return 'minute';
  return second > 59 ? 'second' : undefined;
}

function zoneSeconds(zone: string): number {
  if (zone === 'Z') return 0;
  const size = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(4)) * 60;
  return zone.startsWith('-') ? -size : size;
}

const layouts = { seconds: '2006-01-02T15:04:05Z07:00', micro: '2006-01-02T15:04:05.000000Z07:00' };
const elements: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}/, '2006'],
  [/^-/, '-'],
  [/^\d\d/, '01'],
  [/^-/, '-'],
  [/^\d\d/, '02'],
  [/^T/, 'T'],
  [/^\d\d/, '15'],
  [/^:/, ':'],
  [/^\d\d/, '04'],
  [/^:/, ':'],
  [/^\d\d/, '05'],
];

/** Go names the first layout element that does not fit, and what stood there. */
function cannotParse(text: string, layout: keyof typeof layouts): string {
  const head = `parsing time ${JSON.stringify(text)} as "${layouts[layout]}": cannot parse`;
  const fraction: readonly [RegExp, string] = layout === 'micro' ? [/^[.,]\d{6}(?!\d)/, '.000000'] : [/^(?:[.,]\d+)?/, ''];
  let rest = text;
  for (const [pattern, element] of [...elements, fraction, [/^(?:Z|[+-]\d\d:\d\d)/, 'Z07:00'] as const]) {
    const found = pattern.exec(rest);
    if (found === null) return `${head} ${JSON.stringify(rest)} as ${JSON.stringify(element)}`;
    rest = rest.slice(found[0].length);
  }
  return `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`;
}

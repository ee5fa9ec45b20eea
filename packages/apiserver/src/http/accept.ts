/** One alternative of an Accept header. */
export interface MediaRange {
  /** Lower-case; `*` for any. */
  readonly type: string;
  readonly subtype: string;
  /** In [0, 1]. */
  readonly quality: number;
  /** Without `q`; names lower-case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** The alternatives, best first: by quality, then the more specific one, then as written. Malformed ones are left out. */
export function parseAccept(header: string): MediaRange[] {
  const ranges = header.split(',').flatMap((text) => {
    const range = parseMediaType(text);
    return range === undefined || range.quality === 0 ? [] : [range];
  });
  return ranges.sort((a, b) => b.quality - a.quality || vagueness(a) - vagueness(b));
}

const vagueness = ({ type, subtype }: MediaRange): number => (type === '*' ? 2 : subtype === '*' ? 1 : 0);

/** `type/subtype;name=value;…`; undefined when malformed. */
export function parseMediaType(text: string): MediaRange | undefined {
  const [essence = '', ...rest] = text.split(';');
  const [type, subtype, extra] = essence.trim().toLowerCase().split('/');
  if (type === undefined || type === '' || extra !== undefined) return undefined;
  if (subtype === undefined && type !== '*') return undefined;
  const parameters = new Map<string, string>();
  let quality = 1;
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const name = part.slice(0, equals).trim().toLowerCase();
    const value = unquote(part.slice(equals + 1).trim());
    if (name !== 'q') parameters.set(name, value);
    else quality = qualityOf(value);
  }
  return { type, subtype: subtype === undefined || subtype === '' ? '*' : subtype, quality, parameters };
}

function qualityOf(value: string): number {
  const number = Number(value);
  return Number.isFinite(number) ? Math.min(1, Math.max(0, number)) : 1;
}

const unquote = (value: string): string => (value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value);

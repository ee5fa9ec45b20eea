/** A target as proxy paths name it. */
export interface SchemeNamePort {
  readonly scheme: '' | 'http' | 'https';
  readonly name: string;
  /** Number or name; empty for none. */
  readonly port: string;
}

/** Reads `name`, `name:port` and `scheme:name:port`; undefined where `id` is none of them. Source: SplitSchemeNamePort. */
export function parseSchemeNamePort(id: string): SchemeNamePort | undefined {
  const parts = id.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length > 3) return undefined;
  if (parts.length < 3) return first === '' ? undefined : { scheme: '', name: first, port: second };
  if ((first !== '' && first !== 'http' && first !== 'https') || second === '') return undefined;
  return { scheme: first, name: second, port: third };
}

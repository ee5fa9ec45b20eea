import { newBadRequest } from '@orrery/apimachinery';

/** A request's path and query. */
export interface RequestTarget {
  /** Percent-decoded, as rules and routes see it. */
  readonly path: string;
  /** As it came, for proxies. */
  readonly rawPath: string;
  /** Without `?`; empty for none. */
  readonly rawQuery: string;
  readonly query: URLSearchParams;
}

const noQuery = new URLSearchParams();

/** @throws {StatusError} 400 for a target that is no path, or whose escapes are malformed. */
export function parseRequestTarget(target: string): RequestTarget {
  const relative = target.startsWith('/') ? target : pathOfAbsolute(target);
  const hash = relative.indexOf('#');
  const whole = hash < 0 ? relative : relative.slice(0, hash);
  const mark = whole.indexOf('?');
  const rawPath = mark < 0 ? whole : whole.slice(0, mark);
  const rawQuery = mark < 0 ? '' : whole.slice(mark + 1);
  return { path: decodePath(rawPath), rawPath, rawQuery, query: rawQuery === '' ? noQuery : new URLSearchParams(rawQuery) };
}

/** Proxies may send `https://host/path`. */
function pathOfAbsolute(target: string): string {
  const match = /^https?:\/\/[^/?#]*(.*)$/i.exec(target);
  if (match === null) throw newBadRequest('the request target must be a path');
  const rest = match[1] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    throw newBadRequest(`invalid URL escape in ${JSON.stringify(path.slice(0, 200))}`);
  }
}

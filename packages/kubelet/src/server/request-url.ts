import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpError(400, `malformed path: ${part}`);
  }
};

/** The request's path, in decoded parts, and its query. */
export function parseUrl(request: IncomingMessage): { readonly parts: readonly string[]; readonly query: URLSearchParams } {
  const [path = '', search = ''] = (request.url ?? '/').split('?', 2);
  return {
    parts: path
      .split('/')
      .filter((part) => part !== '')
      .map(decode),
    query: new URLSearchParams(search),
  };
}

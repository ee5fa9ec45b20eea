import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { answer } from './http.ts';

/** The page's files by path, zipped. */
export type PageFiles = Readonly<Record<string, { readonly type: string; readonly gzip: string }>>;

export async function loadPage(): Promise<PageFiles> {
  return (await import('../generated/page.ts')).page;
}

export function sendPage(files: PageFiles, path: string, request: IncomingMessage, response: ServerResponse): void {
  const file = files[path];
  if (file === undefined) {
    answer(response, 404, 'not found');
    return;
  }
  const zipped = Buffer.from(file.gzip, 'base64');
  const takesZipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  response.writeHead(200, { 'content-type': file.type, ...(takesZipped ? { 'content-encoding': 'gzip' } : {}) });
  response.end(request.method === 'HEAD' ? undefined : takesZipped ? zipped : gunzipSync(zipped));
}

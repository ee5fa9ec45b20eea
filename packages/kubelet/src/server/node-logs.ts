import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HttpError } from './http-error.ts';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&#34;').replaceAll("'", '&#39;');

/**
 * Serves the files below `root` (a node's `/var/log`), and folders as lists of links. Links that lead out of it are not followed: a pod that
 * may write there could read the whole node.
 * @throws HttpError 404 for what is not there, or not below `root`.
 */
export async function serveNodeLogs(root: string, path: readonly string[], response: ServerResponse): Promise<void> {
  const missing = (cause?: unknown): HttpError => new HttpError(404, '404 page not found', { cause });
  const failed = (err: unknown): never => {
    throw missing(err);
  };
  if (path.some((part) => part === '..' || part.includes('/') || part.includes('\0'))) throw missing();
  const [top, file] = await Promise.all([realpath(root), realpath(join(root, ...path))]).catch(failed);
  if (file !== top && !file.startsWith(`${top}${sep}`)) throw missing();
  const found = await stat(file).catch(failed);
  if (found.isDirectory()) {
    const entries = await readdir(file, { withFileTypes: true }).catch(failed);
    const names = entries.map((entry) => `${entry.name}${entry.isDirectory() ? '/' : ''}`).sort();
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(`<pre>\n${names.map((name) => `<a href="${encodeURI(name)}">${escaped(name)}</a>\n`).join('')}</pre>\n`);
    return;
  }
  if (!found.isFile()) throw missing();
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
  await pipeline(createReadStream(file), response);
}

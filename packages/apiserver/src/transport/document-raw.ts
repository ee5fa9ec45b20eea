import { StatusError } from '@orrery/apimachinery';
import type { RawResponse, Transport } from '@orrery/client';
import type { VersionInfo } from '../http/context.ts';
import type { DocumentEndpoint } from '../http/documents.ts';
import { negotiate } from '../http/negotiation.ts';

export interface DocumentRawOptions {
  readonly documents: readonly DocumentEndpoint[];
  readonly version: VersionInfo;
}

/** Answers GET of documents (discovery, OpenAPI) and of `/version` without HTTP: the `raw` of a direct transport. All else is 404. */
export function newDocumentRaw({ documents, version }: DocumentRawOptions): Transport['raw'] {
  return async ({ method = 'GET', path, headers = {} }) => {
    const [pathname = '', query = ''] = path.split('?', 2);
    const trimmed = pathname.length > 1 ? pathname.replace(/\/+$/, '') : pathname;
    if (method !== 'GET') throw new StatusError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
    if (trimmed === '/version') return answer(200, { 'content-type': 'application/json' }, JSON.stringify(version));
    const endpoint = documents.find((candidate) => candidate.offerAt(trimmed) !== undefined);
    const offer = endpoint?.offerAt(trimmed);
    if (endpoint === undefined || offer === undefined)
      throw new StatusError('NotFound', 'the server could not find the requested resource');
    const accepted = negotiate(headerIn(headers, 'accept'), offer);
    const { contentType, body, etag } = await endpoint.document(trimmed, accepted, new URLSearchParams(query));
    const tag = etag === undefined ? undefined : `"${etag}"`;
    const fields = { 'content-type': contentType, ...(tag === undefined ? {} : { etag: tag }) };
    if (tag !== undefined && headerIn(headers, 'if-none-match') === tag) return answer(304, fields, '');
    return answer(200, fields, body);
  };
}

const headerIn = (headers: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];

function answer(status: number, headers: Readonly<Record<string, string>>, body: string | Buffer): RawResponse {
  return { status, headers, body: once(typeof body === 'string' ? Buffer.from(body) : body) };
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield body;
}

import { expect, test } from 'vitest';
import type { DocumentEndpoint } from '../http/documents.ts';
import { newDocumentRaw } from './document-raw.ts';

const endpoint: DocumentEndpoint = {
  offerAt: (path) => (path === '/apis' ? { name: 'test', formats: ['json'], stream: false, allows: () => false } : undefined),
  document: (_path, { format }) => ({ contentType: `application/${format}`, body: '{"a":1}', etag: 'E' }),
  paths: () => ['/apis'],
};
const version = { major: '1', minor: '36' } as Parameters<typeof newDocumentRaw>[0]['version'];
const raw = newDocumentRaw({ documents: [endpoint], version });

async function text(path: string, headers: Record<string, string> = {}) {
  const { status, headers: answered, body } = await raw({ path, headers });
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return { status, headers: answered, text: Buffer.concat(chunks).toString() };
}

test('documents and the version are served without HTTP', async () => {
  expect(await text('/apis/')).toEqual({ status: 200, headers: { 'content-type': 'application/json', etag: '"E"' }, text: '{"a":1}' });
  expect(await text('/apis', { 'If-None-Match': '"E"' })).toMatchObject({ status: 304, text: '' });
  expect(JSON.parse((await text('/version?pretty=1')).text)).toEqual(version);
});

test('everything else is refused', async () => {
  await expect(raw({ path: '/nothing' })).rejects.toMatchObject({ code: 404 });
  await expect(raw({ method: 'POST', path: '/apis' })).rejects.toMatchObject({ code: 405 });
  await expect(raw({ path: '/apis', headers: { Accept: 'image/png' } })).rejects.toMatchObject({ code: 406 });
});

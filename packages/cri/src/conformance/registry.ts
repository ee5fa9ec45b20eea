import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { conformanceImages, manifestType, type TestImage } from './test-images.ts';

/** Serves the suite's images over plain HTTP. */
export interface ConformanceRegistry {
  /** `<address>:<port>`: what references begin with. */
  readonly host: string;
  readonly images: ReadonlyMap<string, TestImage>;
  close(): Promise<void>;
}

/** User and password that `private/…` repositories ask for. */
export const registryLogin = { username: 'tester', password: 'secret' } as const;

/** @param address - To listen on: one that the runtime reaches. */
export async function startConformanceRegistry(address = '127.0.0.1'): Promise<ConformanceRegistry> {
  const images = conformanceImages();
  const server = createServer((request, response) => answer(images, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, resolve);
  });
  const bound = server.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('the registry has no port');
  return {
    host: `${address}:${bound.port}`,
    images,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Source: OCI distribution specification, pull. */
function answer(images: ReadonlyMap<string, TestImage>, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://registry');
  const [, asked = '', kind = '', reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
  const repository = asked.replace(/^private\//, 'orrery/');
  if (asked.startsWith('private/') && request.headers.authorization !== authorization) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="private"' }).end();
    return;
  }
  if (pathname === '/v2/') return void response.writeHead(200).end('{}');
  const bytes = kind === 'blobs' ? blob(images, repository, reference) : manifest(images, repository, reference)?.manifest;
  if (bytes === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code: kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN', message: 'unknown' }] }));
    return;
  }
  const found = kind === 'manifests' ? manifest(images, repository, reference)?.digest : reference;
  response.writeHead(200, {
    'content-type': kind === 'manifests' ? manifestType : 'application/octet-stream',
    'content-length': bytes.length,
    'docker-content-digest': found ?? '',
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

const authorization = `Basic ${Buffer.from(`${registryLogin.username}:${registryLogin.password}`).toString('base64')}`;

const ofRepository = (images: ReadonlyMap<string, TestImage>, repository: string): readonly TestImage[] =>
  [...images].filter(([name]) => name.startsWith(`${repository}:`)).map(([, image]) => image);

const manifest = (images: ReadonlyMap<string, TestImage>, repository: string, reference: string): TestImage | undefined =>
  images.get(`${repository}:${reference}`) ?? ofRepository(images, repository).find(({ digest }) => digest === reference);

const blob = (images: ReadonlyMap<string, TestImage>, repository: string, digest: string): Buffer | undefined =>
  ofRepository(images, repository)
    .map(({ blobs }) => blobs.get(digest))
    .find((bytes) => bytes !== undefined);

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf, type TestImage } from '@orrery/cri-oci/testing';

/** What a repository does to those who pull from it, until it is healed. */
export type Trick =
  /** Takes the request and never answers. */
  | 'never-answers'
  /** Sends half of the layer and then nothing. */
  | 'stalls'
  | 'wrong-bytes'
  /** Says that all is said in the middle of the layer. */
  | 'ends-early'
  | 'too-long'
  | 'no-manifest'
  | 'redirects'
  | 'fails'
  /** 429 once, then as it should be. */
  | 'busy'
  | 'none';

/** A registry that can be told to misbehave, one repository at a time. */
export interface HostileRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** A registries file that lets it be reached without encryption, and gives up on it after two seconds without a byte. */
  readonly registries: string;
  serve(repository: string, image: TestImage, trick?: Trick): void;
  /** From now on every repository does what it should. */
  heal(): void;
  close(): Promise<void>;
}

interface Served {
  readonly image: TestImage;
  readonly trick: Trick;
}

export async function startHostileRegistry(): Promise<HostileRegistry> {
  const repositories = new Map<string, Served>();
  const asked = new Set<string>();
  let healed = false;
  const server = createServer((request, response) => {
    const [, repository = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? [];
    const found = repositories.get(repository);
    if (found === undefined) return void response.writeHead(404).end();
    const trick = healed || (found.trick === 'busy' && asked.has(repository)) ? 'none' : found.trick;
    asked.add(repository);
    if (kind === 'manifests') sendManifest(found.image, trick, request, response);
    else sendBlob(found.image, reference, trick, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    registries: `mirrors:\n  "${host}":\n    endpoint: ["http://${host}"]\nconfigs:\n  "${host}":\n    stall_timeout_seconds: 2\n`,
    serve: (repository, image, trick = 'none') => void repositories.set(repository, { image, trick }),
    heal() {
      healed = true;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function sendManifest({ manifest, manifestDigest }: TestImage, trick: Trick, request: IncomingMessage, response: ServerResponse): void {
  if (trick === 'never-answers') return;
  if (trick === 'redirects') return void response.writeHead(307, { location: `${request.url}` }).end();
  if (trick === 'fails') return void response.writeHead(503).end('out of order');
  if (trick === 'busy') return void response.writeHead(429, { 'retry-after': '1' }).end();
  const body = trick === 'no-manifest' ? Buffer.from('<html>hello</html>') : manifest;
  const type = trick === 'no-manifest' ? 'text/html' : 'application/vnd.oci.image.manifest.v1+json';
  response.writeHead(200, { 'content-type': type, 'docker-content-digest': manifestDigest }).end(body);
}

function sendBlob(image: TestImage, digest: string, trick: Trick, request: IncomingMessage, response: ServerResponse): void {
  const blob = image.blobs.get(digest);
  if (blob === undefined) return void response.writeHead(404).end();
  const start = Number(/^bytes=(\d+)-/.exec(`${request.headers.range}`)?.[1] ?? 0);
  const rest = blob.subarray(start);
  const half = rest.subarray(0, rest.length >> 1);
  const head = (length: number) => response.writeHead(start > 0 ? 206 : 200, { 'content-length': length });
  if (digest === digestOf(image.config)) return void head(rest.length).end(rest);
  if (trick === 'stalls') head(rest.length).write(start > 0 ? '' : half);
  else if (trick === 'wrong-bytes') head(rest.length).end(Buffer.alloc(rest.length, 'x'));
  else if (trick === 'ends-early') head(half.length).end(half);
  else if (trick === 'too-long') head(rest.length + 10).end(Buffer.concat([rest, Buffer.alloc(10)]));
  else head(rest.length).end(rest);
}

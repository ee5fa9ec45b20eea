import { createHash } from 'node:crypto';
import { apiVersionOf, StatusError } from '@orrery/apimachinery';
import { catalogOf, type DiscoverySource, type GroupEntry, type VersionEntry } from '../discovery/catalog.ts';
import type { Document, DocumentEndpoint } from '../http/documents.ts';
import type { Accepted, Offer } from '../http/negotiation.ts';
import { openApiDocument, swaggerDocument } from './documents.ts';
import type { Doc, OpenApiTypes } from './source.ts';

export interface OpenApiOptions {
  /** What is served at the moment. */
  source(): DiscoverySource;
  /** Moves with each change of the source: documents are kept until then. */
  generation(): number;
  /** Of the server, as `v1.36.0`. */
  readonly version: string;
  /** Called when the first document is asked for, and then no more. */
  load(): Promise<OpenApiTypes>;
}

/** What clients ask for holds a character that no media type may have; the answer's type must be one they can parse. */
const v2Asked = 'com.github.proto-openapi.spec.v2@v1.0+protobuf';
const v2Type = 'com.github.proto-openapi.spec.v2.v1.0+protobuf';
const v2: Offer = {
  name: 'openapi-v2',
  formats: ['json', 'protobuf'],
  aliases: [v2Asked, v2Type].map((subtype) => ({ format: 'protobuf', subtype })),
  stream: false,
  allows: () => false,
};
const json: Offer = { name: 'openapi-v3', formats: ['json'], stream: false, allows: () => false };

/** `/openapi/v2`, `/openapi/v3` and `/openapi/v3/…`. Nothing is built before it is asked for. */
export function newOpenApiEndpoint(options: OpenApiOptions): DocumentEndpoint {
  return new OpenApiEndpoint(options);
}

class OpenApiEndpoint implements DocumentEndpoint {
  readonly #options: OpenApiOptions;
  /** Belongs to `#generation`, as everything below. */
  #catalog: readonly GroupEntry[] = [];
  #generation: number | undefined;
  #swagger: Doc | undefined;
  /** Texts by path. */
  readonly #texts = new Map<string, string | Buffer>();
  #types: Promise<OpenApiTypes> | undefined;

  constructor(options: OpenApiOptions) {
    this.#options = options;
  }

  offerAt(path: string): Offer | undefined {
    if (path === '/openapi/v2') return v2;
    if (path === '/openapi/v3' || this.#find(path) !== undefined) return json;
    return undefined;
  }

  paths(): readonly string[] {
    return ['/openapi/v2', '/openapi/v3', ...this.#entries().map(({ path }) => `/openapi/v3/${path}`)];
  }

  async document(path: string, { format }: Accepted, query: URLSearchParams): Promise<Document> {
    if (path === '/openapi/v2') return this.#v2(format === 'protobuf');
    if (path === '/openapi/v3') return this.#index();
    const found = this.#find(path);
    if (found === undefined) throw new StatusError('NotFound', 'the server could not find the requested resource');
    const hash = this.#hash([found.group, found.entry]);
    const body = await this.#text(path, async () => {
      return JSON.stringify(openApiDocument(found.group, found.entry, await this.#context()));
    });
    return { contentType: 'application/json', body, etag: hash, immutable: query.get('hash') === hash };
  }

  async #v2(asProtobuf: boolean): Promise<Document> {
    const etag = this.#hash(['v2', asProtobuf, this.#current()]);
    if (!asProtobuf)
      return { contentType: 'application/json', body: await this.#text('v2', async () => JSON.stringify(await this.#v2Document())), etag };
    const body = await this.#text('v2 protobuf', async () => {
      const { encodeSwagger } = await import('./gnostic.ts');
      return encodeSwagger(await this.#v2Document());
    });
    return { contentType: `application/${v2Type}`, body, etag };
  }

  async #v2Document(): Promise<Doc> {
    const context = await this.#context();
    this.#swagger ??= swaggerDocument(this.#current(), context);
    return this.#swagger;
  }

  #index(): Document {
    const paths: Doc = {};
    for (const { path, group, entry } of this.#entries()) {
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#hash([group, entry])}` };
    }
    return { contentType: 'application/json', body: JSON.stringify({ paths }) };
  }

  async #context(): Promise<{ readonly version: string; readonly types: OpenApiTypes }> {
    this.#types ??= this.#options.load();
    return { version: this.#options.version, types: await this.#types };
  }

  async #text<T extends string | Buffer>(key: string, build: () => Promise<T>): Promise<string | Buffer> {
    const generation = this.#generation;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const text = await build();
    if (generation === this.#generation) this.#texts.set(key, text); // Else it is of a state that is gone.
    return text;
  }

  /** Of what a document is made from, so that the index costs no document. */
  #hash(input: unknown): string {
    const text = JSON.stringify([this.#options.version, input]);
    return createHash('sha512').update(text).digest('hex').toUpperCase();
  }

  #current(): readonly GroupEntry[] {
    const generation = this.#options.generation();
    if (generation !== this.#generation) {
      this.#catalog = catalogOf(this.#options.source());
      this.#swagger = undefined;
      this.#texts.clear();
      this.#generation = generation;
    }
    return this.#catalog;
  }

  #entries(): { readonly path: string; readonly group: string; readonly entry: VersionEntry }[] {
    return this.#current().flatMap(({ group, versions }) =>
      versions.map((entry) => {
        const name = apiVersionOf({ group, version: entry.version });
        return { path: group === '' ? `api/${name}` : `apis/${name}`, group, entry };
      }),
    );
  }

  #find(path: string): { readonly group: string; readonly entry: VersionEntry } | undefined {
    return path.startsWith('/openapi/v3/') ? this.#entries().find((entry) => path === `/openapi/v3/${entry.path}`) : undefined;
  }
}

import { createHash } from 'node:crypto';
import { StatusError } from '@orrery/apimachinery';
import type { Document, DocumentEndpoint } from '../http/documents.ts';
import type { Accepted, Conversion, Format, Offer } from '../http/negotiation.ts';
import { type AggregatedVersion, apiGroupDiscoveryList } from './aggregated.ts';
import { catalogOf, type DiscoverySource, type GroupEntry } from './catalog.ts';
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './legacy.ts';

export interface DiscoveryOptions {
  /** What is served at the moment. */
  source(): DiscoverySource;
  /** Moves with each change of the source: renderings are kept until then. */
  generation(): number;
  /** `host:port` at which clients reach the server; asked for each time. */
  serverAddress(): string;
  /** Answers in other formats than JSON. */
  encode(value: object, format: Exclude<Format, 'json'>): Promise<Document>;
}

const aggregatedVersions: readonly string[] = ['v2', 'v2beta1'];

const isAggregated = ({ group, version, kind }: Conversion): boolean =>
  group === 'apidiscovery.k8s.io' && kind === 'APIGroupDiscoveryList' && aggregatedVersions.includes(version);

const plain: Offer = { name: 'discovery', formats: ['json', 'yaml', 'protobuf'], stream: false, allows: () => false };
const aggregated: Offer = {
  name: 'aggregated-discovery',
  formats: ['json', 'yaml', 'protobuf'],
  stream: false,
  allows: (conversion, format) => format !== 'yaml' && isAggregated(conversion),
};

/** `/api`, `/apis` (in both forms), `/api/v1`, `/apis/<group>` and `/apis/<group>/<version>`. */
export function newDiscoveryEndpoint(options: DiscoveryOptions): DocumentEndpoint {
  return new DiscoveryEndpoint(options);
}

class DiscoveryEndpoint implements DocumentEndpoint {
  readonly #options: DiscoveryOptions;
  /** Belongs to `#generation`. */
  #catalog: readonly GroupEntry[] = [];
  #generation: number | undefined;
  /** Aggregated answers by path and version; belongs to `#generation`. */
  readonly #aggregated = new Map<string, { readonly body: string; readonly etag: string }>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  offerAt(path: string): Offer | undefined {
    if (path === '/api' || path === '/apis') return aggregated;
    return this.#plain(path) === undefined ? undefined : plain;
  }

  paths(): readonly string[] {
    const paths = ['/api', '/apis'];
    for (const { group, versions } of this.#current()) {
      const base = group === '' ? '/api' : `/apis/${group}`;
      if (group !== '') paths.push(base);
      for (const { version } of versions) paths.push(`${base}/${version}`);
    }
    return paths;
  }

  document(path: string, { format, as }: Accepted): Document | Promise<Document> {
    if (as !== undefined && isAggregated(as)) return this.#aggregatedAt(path, as.version as AggregatedVersion, format);
    const value = this.#plain(path);
    if (value === undefined) throw new StatusError('NotFound', 'the server could not find the requested resource');
    if (format !== 'json') return this.#options.encode(value, format);
    return { contentType: 'application/json', body: JSON.stringify(value) };
  }

  #current(): readonly GroupEntry[] {
    const generation = this.#options.generation();
    if (generation !== this.#generation) {
      this.#catalog = catalogOf(this.#options.source());
      this.#aggregated.clear();
      this.#generation = generation;
    }
    return this.#catalog;
  }

  #plain(path: string): object | undefined {
    const catalog = this.#current();
    if (path === '/api') return apiVersions(catalog, this.#options.serverAddress());
    if (path === '/apis') return apiGroupList(catalog);
    const match = /^\/(?:api|apis\/([^/]+))(?:\/([^/]+))?$/.exec(path);
    if (match === null) return undefined;
    const [, group = '', version] = match;
    const entry = catalog.find((candidate) => candidate.group === group);
    if (entry === undefined) return undefined;
    if (version === undefined) return apiGroup(entry);
    const found = entry.versions.find((candidate) => candidate.version === version);
    return found === undefined ? undefined : apiResourceList(group, found);
  }

  async #aggregatedAt(path: string, version: AggregatedVersion, format: Format): Promise<Document> {
    const groups = this.#current().filter(({ group }) => (group === '') === (path === '/api'));
    const key = `${path} ${version}`;
    let kept = this.#aggregated.get(key);
    if (kept === undefined) {
      const body = JSON.stringify(apiGroupDiscoveryList(groups, version));
      kept = { body, etag: createHash('sha512').update(body).digest('hex').toUpperCase() };
      this.#aggregated.set(key, kept);
    }
    const parameters = `g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    if (format === 'json') return { contentType: `application/json;${parameters}`, ...kept };
    const encoded = await this.#options.encode(JSON.parse(kept.body) as object, format);
    return { ...encoded, contentType: `${encoded.contentType};${parameters}`, etag: kept.etag };
  }
}

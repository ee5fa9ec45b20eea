import type { Accepted, Offer } from './negotiation.ts';

/** A document that is not a resource: discovery, OpenAPI, the version. */
export interface Document {
  readonly contentType: string;
  readonly body: Buffer | string;
  /** Strong entity tag without quotes; absent: not cacheable. */
  readonly etag?: string;
  /** Set for documents whose address changes with their content. */
  readonly immutable?: boolean;
}

/** Serves documents by path. The first endpoint that knows a path answers. */
export interface DocumentEndpoint {
  /** What can be asked for at `path`; undefined: not mine. */
  offerAt(path: string): Offer | undefined;
  /** @throws {StatusError} when there is no such document. */
  document(path: string, accepted: Accepted, query: URLSearchParams): Document | Promise<Document>;
  /** Paths for the list at `/`. */
  paths(): readonly string[];
}

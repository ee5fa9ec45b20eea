import type { Descriptor } from './manifest.ts';

/** Where an image that is being added comes from: a registry, or an archive. */
export interface ContentSource {
  /** A manifest or configuration, whole and verified. */
  document(descriptor: Descriptor, signal?: AbortSignal): Promise<Uint8Array>;
  /** A layer as it travels; verified by the time it ends. */
  layer(descriptor: Descriptor, signal?: AbortSignal): AsyncIterable<Buffer>;
}

import { deepFreeze, type KubeObject } from '@orrery/apimachinery';
import { asBuffer, spliceResourceVersion } from './served-bytes.ts';

/** What all entries of one cache share. */
export interface EntryPolicy {
  /** Freeze decoded objects deeply: tests do, production does not pay for it. */
  readonly freeze: boolean;
}

/**
 * One object at one revision: its decoded value and its served JSON, each made on first use and then kept.
 * A LIST without selectors never parses, a controller in the same process never serialises.
 */
export class CachedEntry {
  readonly key: string;
  /** The object's resourceVersion. Of a deletion: the deletion's. */
  readonly revision: number;
  readonly #policy: EntryPolicy;
  /** Stored bytes until `#spliced`, then the served bytes: only one of them is kept. */
  #bytes: Uint8Array;
  #spliced = false;
  #object: KubeObject | undefined;

  /** @param object - The decoded value where the caller has it, resourceVersion included. */
  constructor(key: string, revision: number, stored: Uint8Array, policy: EntryPolicy, object?: KubeObject) {
    this.key = key;
    this.revision = revision;
    this.#bytes = stored;
    this.#policy = policy;
    this.#object = object === undefined || !policy.freeze ? object : deepFreeze(object);
  }

  /** The shared, immutable value, `metadata.resourceVersion` included. */
  get object(): KubeObject {
    this.#object ??= this.#decode();
    return this.#object;
  }

  /** UTF-8 JSON as served, `metadata.resourceVersion` included. */
  get json(): Buffer {
    if (!this.#spliced) {
      this.#bytes = spliceResourceVersion(this.#bytes, this.revision);
      this.#spliced = true;
    }
    return asBuffer(this.#bytes);
  }

  /** The same state under another revision: how a deletion, or the leaving of a selector, shows the last state. */
  at(revision: number): CachedEntry {
    const { object } = this;
    const moved = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    return CachedEntry.#fromObject(this.key, revision, this.#policy, moved);
  }

  static #fromObject(key: string, revision: number, policy: EntryPolicy, object: KubeObject): CachedEntry {
    const { kind, apiVersion, metadata, ...rest } = object;
    const entry = new CachedEntry(key, revision, Buffer.from(JSON.stringify({ kind, apiVersion, metadata, ...rest })), policy, object);
    entry.#spliced = true;
    return entry;
  }

  #decode(): KubeObject {
    const object = JSON.parse(this.json.toString('utf8')) as KubeObject;
    return this.#policy.freeze ? deepFreeze(object) : object;
  }
}

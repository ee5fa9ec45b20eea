import type { WatchEventType } from '@orrery/apimachinery';
import type { CachedEntry } from './cached-entry.ts';

/** An object beside its JSON. */
export interface ServedItem {
  readonly object: CachedEntry['object'];
  readonly json: Buffer;
  readonly revision: number;
}

/** One event as watchers get it; shared by all of them, so its frame is made once however many listen. */
export class ServedEvent<Item extends ServedItem = ServedItem> {
  readonly type: WatchEventType;
  readonly item: Item;
  #frame: Buffer | undefined;

  constructor(type: WatchEventType, item: Item) {
    this.type = type;
    this.item = item;
  }

  /** The event's line of a JSON watch, newline included. Made on first use. */
  get frame(): Buffer {
    this.#frame ??= Buffer.concat([Buffer.from(`{"type":"${this.type}","object":`), this.item.json, Buffer.from('}\n')]);
    return this.#frame;
  }
}

/** One change of a cached object, and the forms in which watchers with different selectors see it; each made once. */
export class CacheEvent {
  readonly revision: number;
  /** The new state; undefined for a deletion. */
  readonly entry: CachedEntry | undefined;
  /** The state before; undefined for a creation. */
  readonly previous: CachedEntry | undefined;
  #added: ServedEvent<CachedEntry> | undefined;
  #modified: ServedEvent<CachedEntry> | undefined;
  #deleted: ServedEvent<CachedEntry> | undefined;

  constructor(revision: number, entry: CachedEntry | undefined, previous: CachedEntry | undefined) {
    this.revision = revision;
    this.entry = entry;
    this.previous = previous;
  }

  /**
   * What a watcher that selects with `matches` sees: entering a selector is ADDED, leaving it is DELETED with the last
   * matching state at this revision; undefined when the change does not concern it. Absent `matches`: everything.
   */
  seenBy(matches: ((entry: CachedEntry) => boolean) | undefined): ServedEvent<CachedEntry> | undefined {
    const { entry, previous } = this;
    const now = entry !== undefined && (matches === undefined || matches(entry));
    const before = previous !== undefined && (matches === undefined || matches(previous));
    if (now && entry !== undefined) return before ? this.#asModified(entry) : this.#asAdded(entry);
    return before && previous !== undefined ? this.#asDeleted(previous) : undefined;
  }

  #asAdded(entry: CachedEntry): ServedEvent<CachedEntry> {
    this.#added ??= new ServedEvent('ADDED', entry);
    return this.#added;
  }

  #asModified(entry: CachedEntry): ServedEvent<CachedEntry> {
    this.#modified ??= new ServedEvent('MODIFIED', entry);
    return this.#modified;
  }

  #asDeleted(previous: CachedEntry): ServedEvent<CachedEntry> {
    this.#deleted ??= new ServedEvent('DELETED', previous.at(this.revision));
    return this.#deleted;
  }
}

import type { Asker } from '../support/https.ts';
import { collectionOf, type Resource } from './protocol.ts';

export interface Seen {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly name: string;
  readonly value: string;
  readonly revision: number;
}

interface WatchLine {
  readonly type: Seen['type'] | 'BOOKMARK' | 'ERROR';
  readonly object: {
    readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly annotations?: Readonly<Record<string, string>> };
    readonly data?: Readonly<Record<string, string>>;
    readonly message?: string;
  };
}

/** A watch over HTTPS that goes on from the last revision it saw, whatever becomes of the server. */
export class Watcher {
  readonly resource: Resource;
  /** Everything it was ever told, in the order of telling. */
  readonly seen: Seen[] = [];
  readonly errors: string[] = [];
  readonly #bookmarks: boolean;
  #revision: string;
  #stop: (() => void) | undefined;

  constructor(resource: Resource, bookmarks: boolean, fromRevision: string) {
    this.resource = resource;
    this.#bookmarks = bookmarks;
    this.#revision = fromRevision;
  }

  /** Connects, again and again until `disconnect`. */
  connect(asker: Asker): void {
    let stopped = false;
    let stop: (() => void) | undefined;
    const again = (): void => {
      if (stopped) return;
      const query = `watch=1&labelSelector=load%3Dyes&resourceVersion=${this.#revision}&allowWatchBookmarks=${this.#bookmarks}`;
      const watch = asker.lines(`${collectionOf(this.resource)}?${query}`, (line) => {
        if (!stopped) this.#take(JSON.parse(line) as WatchLine);
      });
      stop = watch.stop;
      void watch.ended.then((status) => {
        if (stopped) return;
        if (status !== 200 && status !== 0) this.errors.push(`a watch was answered ${status}`);
        setTimeout(again, 20);
      });
    };
    again();
    this.#stop = () => {
      stopped = true;
      stop?.();
    };
  }

  disconnect(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #take({ type, object }: WatchLine): void {
    if (type === 'ERROR') {
      this.errors.push(`from ${this.#revision}: ${object.message}`);
      return;
    }
    const { name, resourceVersion, annotations } = object.metadata;
    this.#revision = resourceVersion;
    if (type !== 'BOOKMARK')
      this.seen.push({ type, name, value: object.data?.['value'] ?? annotations?.['value'] ?? '', revision: Number(resourceVersion) });
  }
}

import type { KubeObject, WatchEvent } from '@orrery/apimachinery';
import { keyOf } from '@orrery/apimachinery';
import { abortable, aborted, type Clock, type Deferred, deferred, newTimeSlice } from '@orrery/base';
import type { DeletedInfo, Handler, HandlerRegistration, Informer } from './informer.ts';
import type { Indexers, Lister } from './lister.ts';
import { ObjectStore } from './object-store.ts';
import type { Reflector, ReflectorSink } from './reflector.ts';

const SEEN: DeletedInfo = Object.freeze({ finalStateUnknown: false });
const MISSED: DeletedInfo = Object.freeze({ finalStateUnknown: true });

export interface SharedInformerOptions<T extends KubeObject> {
  /** Makes the source of changes; it is run at most once at a time. */
  readonly newReflector: (sink: ReflectorSink<T>) => Reflector;
  readonly clock: Clock;
  /** What handlers throw. */
  readonly onError: (error: unknown) => void;
  /** Applied to every object before it is stored, to drop what nobody here reads. Must be pure and keep the metadata. */
  readonly transform?: ((object: T) => T) | undefined;
}

export class SharedInformer<T extends KubeObject> implements Informer<T>, ReflectorSink<T> {
  readonly #store = new ObjectStore<T>();
  readonly #options: SharedInformerOptions<T>;
  readonly #reflector: Reflector;
  readonly #synced: Deferred<void> = deferred();
  /** Copied on write: a delivery in progress goes on with the handlers that it started with. */
  #handlers: readonly Handler<T>[] = [];
  #hasSynced = false; // Invariant: only turns true.
  #owners = 0; // Invariant: run() calls whose signal has not aborted.
  #running: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;

  constructor(options: SharedInformerOptions<T>) {
    this.#options = options;
    this.#reflector = options.newReflector(this);
  }

  get lister(): Lister<T> {
    return this.#store;
  }

  get resourceVersion(): string {
    return this.#reflector.resourceVersion;
  }

  hasSynced(): boolean {
    return this.#hasSynced;
  }

  waitForSync(signal: AbortSignal): Promise<void> {
    return this.#hasSynced ? Promise.resolve() : abortable(this.#synced.promise, signal);
  }

  addIndexers(indexers: Indexers<T>): void {
    for (const [name, of] of Object.entries(indexers)) this.#store.addIndex(name, of);
  }

  addHandler(handler: Handler<T>): HandlerRegistration {
    // A handler object may be added twice: each registration is its own.
    const own: Handler<T> = {
      onAdd: (object, initial) => handler.onAdd?.(object, initial),
      onUpdate: (old, object) => handler.onUpdate?.(old, object),
      onDelete: (object, info) => handler.onDelete?.(object, info),
    };
    for (const object of this.#store.list()) this.#guard(() => own.onAdd?.(object, true));
    this.#handlers = [...this.#handlers, own];
    const remove = (): void => {
      own.onAdd = own.onUpdate = own.onDelete = () => {};
      this.#handlers = this.#handlers.filter((other) => other !== own);
    };
    return { hasSynced: () => this.#hasSynced, remove, [Symbol.dispose]: remove };
  }

  async run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#owners += 1;
    this.#running ??= this.#start();
    await aborted(signal);
    this.#owners -= 1;
    const { stop, done } = this.#running;
    if (this.#owners > 0) return;
    stop.abort(signal.reason);
    await done;
  }

  #start(): { readonly stop: AbortController; readonly done: Promise<void> } {
    const stop = new AbortController();
    const done = this.#reflector.run(stop.signal).finally(() => {
      this.#running = this.#owners > 0 ? this.#start() : undefined; // Somebody came while it was stopping.
    });
    return { stop, done };
  }

  async replace(items: readonly T[], signal: AbortSignal): Promise<void> {
    const slice = newTimeSlice(this.#options.clock);
    const gone = new Set(this.#store.keys());
    for (const item of items) {
      const key = keyOf(item);
      gone.delete(key);
      this.#upsert(key, item, !this.#hasSynced);
      if (!slice.over) continue;
      await slice.yield();
      if (signal.aborted) return;
    }
    for (const key of gone) this.#remove(key, undefined, MISSED);
    if (this.#hasSynced) return;
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  apply({ type, object }: WatchEvent<T>): void {
    const key = keyOf(object);
    if (type === 'DELETED') this.#remove(key, object, SEEN);
    else if (type !== 'BOOKMARK') this.#upsert(key, object, false);
  }

  #upsert(key: string, received: T, initial: boolean): void {
    const held = this.#store.get(key);
    const sameObject = held?.metadata.uid === received.metadata.uid;
    if (held !== undefined && sameObject && held.metadata.resourceVersion === received.metadata.resourceVersion) return;
    if (held !== undefined && !sameObject) this.#remove(key, undefined, MISSED);
    const object = this.#options.transform === undefined ? received : this.#options.transform(received);
    const old = this.#store.set(key, object);
    for (const handler of this.#handlers) {
      this.#guard(() => (old === undefined ? handler.onAdd?.(object, initial) : handler.onUpdate?.(old, object)));
    }
  }

  #remove(key: string, last: T | undefined, info: DeletedInfo): void {
    const held = this.#store.delete(key);
    if (held === undefined) return; // Known to be gone: a repeated deletion is no change.
    const object = last === undefined ? held : (this.#options.transform?.(last) ?? last);
    for (const handler of this.#handlers) this.#guard(() => handler.onDelete?.(object, info));
  }

  #guard(deliver: () => void): void {
    try {
      deliver();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

import type { KubeObject } from '@orrery/apimachinery';
import type { Indexers, Lister } from './lister.ts';

export interface DeletedInfo {
  /**
   * False: `object` is the state at deletion, as the server told it. True: the deletion itself was missed (it happened while the watch
   * was down) and `object` is the last state that was seen. Upstream's `DeletedFinalStateUnknown`.
   */
  readonly finalStateUnknown: boolean;
}

/**
 * Told of every change of an informer's store. Absent methods are skipped.
 *
 * For one key, calls follow `onAdd (onUpdate)* onDelete` and again; `onUpdate.old` is identical (`===`) to the object of the call before.
 * `onUpdate` never pairs objects of different `uid`: an object that was replaced under its name is deleted, then added.
 * An object that came again with the same uid and resourceVersion (after a relist) is no change: nobody is told.
 *
 * When a method runs, the lister shows exactly the state after that change. Methods run one after the other, in the order in which the
 * server made the changes (after a relist: in list order, deletions last), and each handler in the order of registration.
 *
 * They must be quick and synchronous: note a key, adjust a counter, and return. They must not change objects. They may add and remove
 * handlers. What they throw goes to the factory's `onError` and disturbs neither the informer nor other handlers.
 */
export interface Handler<T extends KubeObject> {
  /** @param initial - True for what was there when this handler was added, or when the informer first synced. */
  onAdd?(object: T, initial: boolean): void;
  onUpdate?(old: T, object: T): void;
  onDelete?(object: T, info: DeletedInfo): void;
}

export interface HandlerRegistration extends Disposable {
  /** True once this handler was told of everything in the initial list. */
  hasSynced(): boolean;
  /** No method of the handler is called after this. */
  remove(): void;
}

/**
 * One shared copy of a resource, kept current by one list and watch. See {@link Handler} for what handlers may rely on.
 *
 * The store always converges to the server's state: what a broken watch missed is found by a relist; the last seen state stays readable
 * while the server is away.
 */
export interface Informer<T extends KubeObject> {
  readonly lister: Lister<T>;
  /** Told at once, before this returns, of what is already held. */
  addHandler(handler: Handler<T>): HandlerRegistration;
  /** Adds indexes, also while it runs. @throws {AssertionError} when a name is taken by another function. */
  addIndexers(indexers: Indexers<T>): void;
  /** True once the first complete list is in the store and every handler was told. Never turns false again. */
  hasSynced(): boolean;
  /** Resolves when `hasSynced`; rejects with the signal's reason when that comes first. */
  waitForSync(signal: AbortSignal): Promise<void>;
  /** resourceVersion up to which the store is current; empty before the first list. */
  readonly resourceVersion: string;
  /**
   * Keeps the store current until `signal` aborts, then resolves. Never rejects. May be called by several owners: it runs while the signal
   * of at least one of them has not aborted. When it is run again it continues from what it holds.
   */
  run(signal: AbortSignal): Promise<void>;
}

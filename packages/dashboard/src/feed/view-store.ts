import type { View } from '../protocol.ts';

export interface ViewStoreListener {
  /** The view of `id` changed, came or went. */
  changed(id: string): void;
}

/** All views of all clusters, with their JSON: written once, sent to every viewer. */
export interface ViewStore {
  readonly size: number;
  get(id: string): View | undefined;
  /** The view's JSON; undefined when it is gone. */
  json(id: string): string | undefined;
  ids(): IterableIterator<string>;
  /** Does nothing when the view's JSON is what it was. */
  set(view: View): void;
  delete(id: string): void;
  subscribe(listener: ViewStoreListener): () => void;
}

export function newViewStore(): ViewStore {
  const views = new Map<string, { readonly view: View; readonly json: string }>();
  const listeners = new Set<ViewStoreListener>();
  const tell = (id: string): void => {
    for (const listener of listeners) listener.changed(id);
  };
  return {
    get size() {
      return views.size;
    },
    get: (id) => views.get(id)?.view,
    json: (id) => views.get(id)?.json,
    ids: () => views.keys(),
    set(view) {
      const json = JSON.stringify(view);
      if (views.get(view.id)?.json === json) return;
      views.set(view.id, { view, json });
      tell(view.id);
    },
    delete(id) {
      if (views.delete(id)) tell(id);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

import { useEffect, useState } from 'preact/hooks';
import { type Filter, noFilter } from '../src/model/filter.ts';
import { newPageStore } from '../src/model/page-store.ts';
import { newSeriesStore } from '../src/model/series.ts';
import type { Message } from '../src/protocol.ts';
import { arrivals, counters, departures, invalidate } from './frames.ts';

export const store = newPageStore();
export const series = newSeriesStore();

export type ViewName = 'map' | 'pods' | 'workloads';
/** `box:` and a key for one box alone. */
export type Topic = 'clusters' | 'layout' | 'pods' | 'workloads' | 'samples' | 'ui' | `box:${string}`;

export interface Ui {
  readonly view: ViewName;
  readonly filter: Filter;
  /** Id of a pod or workload, or `box:` and a box's key; empty for none. */
  readonly selected: string;
  /** The pod and container whose log is open. */
  readonly log: { readonly id: string; readonly container: string } | undefined;
  readonly link: 'connecting' | 'open' | 'lost' | 'locked';
  readonly toast: { readonly text: string; readonly ok: boolean } | undefined;
}

/** When the last batch came, by this page's clock, which only measures. */
let batchAtMs = 0;

/** The server's time. */
export const serverNow = (): number => store.nowMs + performance.now() - batchAtMs;

let ui: Ui = { view: 'map', filter: noFilter, selected: '', log: undefined, link: 'connecting', toast: undefined };

export const currentUi = (): Ui => ui;

export function setUi(change: Partial<Ui>): void {
  const filtering = change.filter !== undefined && change.filter !== ui.filter;
  const selecting = change.selected !== undefined && change.selected !== ui.selected;
  ui = { ...ui, ...change };
  publish('ui');
  if (filtering || selecting) for (const key of store.boxes.keys()) invalidate(key);
}

/** As it is decided, not as it is drawn: that comes with the next frame. */
export const isLogOpen = (): boolean => ui.log !== undefined;

const listeners = new Map<Topic, Set<() => void>>();
const waiting = new Set<Topic>();

/** Listeners hear of a topic once a frame, however often it was published. */
export function publish(topic: Topic): void {
  if (waiting.size === 0) requestAnimationFrame(tellListeners);
  waiting.add(topic);
}

function tellListeners(): void {
  const topics = [...waiting];
  waiting.clear();
  for (const topic of topics) for (const listener of listeners.get(topic) ?? []) listener();
}

export function listen(topic: Topic, listener: () => void): () => void {
  const all = listeners.get(topic) ?? new Set();
  listeners.set(topic, all);
  all.add(listener);
  return () => all.delete(listener);
}

/** Draws the component again when one of `topics` is published. */
export function useTopics(...topics: readonly Topic[]): void {
  const [, draw] = useState(0);
  const key = topics.join(' ');
  useEffect(() => {
    const again = (): void => draw((count) => count + 1);
    const stops = (key.split(' ') as Topic[]).map((topic) => listen(topic, again));
    again(); // What was published before the effect ran.
    return () => {
      for (const stop of stops) stop();
    };
  }, [key]);
}

export function useUi(): Ui {
  useTopics('ui');
  return ui;
}

export function receive(message: Message): void {
  if (message.type === 'sample') {
    series.add(message);
    publish('samples');
    return;
  }
  const drop = store.whole;
  const delta = store.apply(message);
  if (message.type !== 'batch') {
    publish('clusters');
    return;
  }
  if (drop) {
    for (const { id, box } of delta.arrived) arrivals(box, id);
    for (const { pod, box, slot } of delta.left) departures(box, pod, slot);
  }
  for (const { box } of delta.left) invalidate(box);
  batchAtMs = performance.now();
  counters.batches += 1;
  counters.views += message.changed.length;
  for (const { id, box } of delta.changed) invalidate(box, id);
  for (const key of delta.boxes) publish(`box:${key}`);
  if (delta.layout) publish('layout');
  publish('pods');
  publish('workloads');
}

import type { PodView } from '../src/protocol.ts';

/** Draws one box; returns how many tiles it drew and whether it wants another frame. */
export interface Painter {
  paint(nowMs: number): { readonly tiles: number; readonly more: boolean };
  arrive(id: string): void;
  leave(pod: PodView, slot: number): void;
  /** This pod's tile is to be drawn again; without an id: everything. */
  touch(id: string | undefined): void;
}

/** So many tiles are drawn in a frame; boxes beyond wait for the next one. A box alone may be larger. */
export const TILES_MAX = 6_000;

/** What drawing has cost since the page opened; read by tests and by the curious. */
export const counters = { frames: 0, tiles: 0, tilesMaxOfAFrame: 0, batches: 0, views: 0 };

const painters = new Map<string, Painter>();
const dirty = new Set<string>();
let asked = false;

export function addPainter(key: string, painter: Painter): () => void {
  painters.set(key, painter);
  invalidate(key);
  return () => {
    if (painters.get(key) === painter) painters.delete(key);
  };
}

/** The box, or one pod of it, is drawn in the next frame, if it is in sight then. */
export function invalidate(key: string, id?: string): void {
  painters.get(key)?.touch(id);
  dirty.add(key);
  if (asked) return;
  asked = true;
  requestAnimationFrame(drawFrame);
}

export const arrivals = (key: string, id: string): void => painters.get(key)?.arrive(id);
export const departures = (key: string, pod: PodView, slot: number): void => painters.get(key)?.leave(pod, slot);

function drawFrame(nowMs: number): void {
  asked = false;
  let tiles = 0;
  const again: string[] = [];
  for (const key of dirty) {
    if (tiles >= TILES_MAX) break;
    dirty.delete(key);
    const drawn = painters.get(key)?.paint(nowMs);
    if (drawn === undefined) continue;
    tiles += drawn.tiles;
    if (drawn.more) again.push(key);
  }
  counters.frames += 1;
  counters.tiles += tiles;
  counters.tilesMaxOfAFrame = Math.max(counters.tilesMaxOfAFrame, tiles);
  for (const key of again) invalidate(key);
  if (dirty.size > 0 && !asked) {
    asked = true;
    requestAnimationFrame(drawFrame);
  }
}

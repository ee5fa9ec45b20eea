import { newPodMatcher } from '../src/model/filter.ts';
import type { Box } from '../src/model/page-store.ts';
import { heightOf, placeOf, type TileLayout, tileLayout } from '../src/model/tiles.ts';
import type { PodView } from '../src/protocol.ts';
import { invalidate, type Painter } from './frames.ts';
import { currentPalette, drawNamedTile, drawShape } from './paint.ts';
import { currentUi, store } from './state.ts';

const FALL_MS = 520;
const FADE_MS = 260;
/** Of one box at a time; what comes beyond is there at once. */
const MOVING_MAX = 80;

/** Around the tiles, for the line around the one that is chosen. */
export const MARGIN = 4;

const stillness = matchMedia('(prefers-reduced-motion: reduce)');

export interface BoxPainter extends Painter {
  readonly layout: TileLayout;
  /** Slot that the keyboard is at; -1 for none. */
  cursor: number;
  /** @param dense - True for a box among many. */
  resize(widthPx: number, dense: boolean): void;
  /** Only boxes in sight are drawn. */
  setVisible(visible: boolean): void;
}

export function newBoxPainter(canvas: HTMLCanvasElement, box: Box): BoxPainter {
  const context = canvas.getContext('2d');
  let width = 0;
  let visible = false;
  let dense = false;
  let layout = tileLayout(1, 0);
  /** When each pod that falls began to; 0 for in the next frame. */
  const falling = new Map<string, number>();
  const fading = new Map<string, { readonly pod: PodView; readonly slot: number; startMs: number }>();

  /** Pods whose tiles are to be drawn again, as long as not everything is. */
  const touched = new Set<string>();
  let everything = true;

  /** Gives the tiles their sizes. */
  const fit = (): void => {
    if (box.slots.compact()) everything = true;
    const before = layout;
    layout = tileLayout(width - 2 * MARGIN, box.slots.length, dense);
    const height = Math.max(34, heightOf(layout)) + 2 * MARGIN;
    const scale = devicePixelRatio;
    const [pixelWidth, pixelHeight] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
      canvas.width = pixelWidth;
      canvas.height = pixelHeight;
      canvas.style.height = `${height}px`;
      everything = true;
    }
    if (before.width !== layout.width || before.columns !== layout.columns) everything = true;
    context?.setTransform(scale, 0, 0, scale, MARGIN * scale, MARGIN * scale);
  };
  const drawPod = (pod: PodView, x: number, y: number): void => {
    if (context === null) return;
    if (layout.named) drawNamedTile(context, pod, x, y, layout.width, layout.height);
    else drawShape(context, pod.state, x, y, layout.width);
  };
  const outline = (slot: number, colour: string, line: number): void => {
    const { x, y } = placeOf(layout, slot);
    if (context === null) return;
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.beginPath();
    context.roundRect(x - 2, y - 2, layout.width + 4, layout.height + 4, layout.named ? 9 : 5);
    context.stroke();
  };

  /** How far above its place a pod is, in px; 0 when it has landed. */
  const heightAbove = (id: string, y: number, nowMs: number): number => {
    const begun = falling.get(id);
    if (begun === undefined) return 0;
    const startMs = begun || nowMs;
    if (begun === 0) falling.set(id, nowMs);
    const part = (nowMs - startMs) / FALL_MS;
    if (part >= 1) {
      falling.delete(id);
      return 0;
    }
    return (1 - bounce(part)) * (y + layout.height + 12);
  };
  const drawFading = (nowMs: number): void => {
    if (context === null) return;
    for (const [id, ghost] of fading) {
      ghost.startMs ||= nowMs;
      const part = (nowMs - ghost.startMs) / FADE_MS;
      if (part >= 1 || box.slots.at(ghost.slot) !== undefined) {
        fading.delete(id);
        continue;
      }
      const { x, y } = placeOf(layout, ghost.slot);
      context.globalAlpha = 1 - part;
      drawPod(ghost.pod, x, y + 6 * part);
    }
  };

  /** Draws all tiles, or those that were touched. Returns how many. */
  const drawTiles = (slots: Iterable<number>, nowMs: number): number => {
    const matches = newPodMatcher(currentUi().filter);
    let drawn = 0;
    for (const slot of slots) {
      const pod = store.pods.get(box.slots.at(slot) ?? '');
      if (pod === undefined || context === null) continue;
      const { x, y } = placeOf(layout, slot);
      if (!everything) context.clearRect(x - 0.5, y - 0.5, layout.width + 1, layout.height + 1);
      context.globalAlpha = matches(pod) ? 1 : 0.14;
      drawPod(pod, x, y - heightAbove(pod.id, y, nowMs));
      drawn += 1;
    }
    return drawn;
  };
  const touchedSlots = (): number[] => [...touched].map((id) => box.slots.slotOf(id)).filter((slot) => slot !== undefined);

  const paint = (nowMs: number): { tiles: number; more: boolean } => {
    if (!visible || width === 0 || context === null) return { tiles: 0, more: false };
    if (falling.size + fading.size > 0) everything = true;
    fit();
    if (everything) context.clearRect(-MARGIN, -MARGIN, canvas.width, canvas.height);
    const tiles = drawTiles(everything ? box.slots.used() : touchedSlots(), nowMs) + fading.size;
    drawFading(nowMs);
    const { accent } = currentPalette();
    const selectedSlot = box.slots.slotOf(currentUi().selected);
    if (selectedSlot !== undefined) outline(selectedSlot, accent, 2);
    if (painter.cursor >= 0 && painter.cursor < box.slots.length && document.activeElement === canvas) outline(painter.cursor, accent, 2.5);
    everything = false;
    touched.clear();
    return { tiles, more: falling.size + fading.size > 0 };
  };

  const painter: BoxPainter = {
    get layout() {
      return layout;
    },
    cursor: -1,
    paint,
    arrive(id) {
      if (visible && !stillness.matches && falling.size < MOVING_MAX) falling.set(id, 0);
    },
    leave(pod, slot) {
      falling.delete(pod.id);
      if (visible && !stillness.matches && fading.size < MOVING_MAX) fading.set(pod.id, { pod, slot, startMs: 0 });
    },
    touch(id) {
      if (id === undefined) everything = true;
      else if (!everything && visible) touched.add(id);
    },
    resize(widthPx, isDense) {
      width = widthPx;
      dense = isDense;
      invalidate(box.key);
    },
    setVisible(now) {
      visible = now;
      if (!visible) {
        falling.clear();
        fading.clear();
      } else invalidate(box.key);
    },
  };
  return painter;
}

/** Falls and bounces once, a little. */
function bounce(part: number): number {
  if (part < 0.62) return (part / 0.62) ** 2;
  const rest = (part - 0.81) / 0.19;
  return 1 - 0.07 * (1 - rest ** 2);
}

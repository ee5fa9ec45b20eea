import { shortName } from '../src/model/format.ts';
import type { PodState, PodView } from '../src/protocol.ts';

export interface Palette {
  readonly state: Readonly<Record<PodState, string>>;
  readonly tile: string;
  readonly text: string;
  readonly soft: string;
  readonly accent: string;
}

let palette: Palette | undefined;

/** Colours of the style sheet, as the page shows them now. */
export function currentPalette(): Palette {
  if (palette !== undefined) return palette;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const states: readonly PodState[] = ['running', 'starting', 'pending', 'failing', 'failed', 'succeeded', 'terminating', 'unknown'];
  palette = {
    state: Object.fromEntries(states.map((state) => [state, colour(`--${state}`)])) as Record<PodState, string>,
    tile: colour('--tile'),
    text: colour('--text'),
    soft: colour('--soft'),
    accent: colour('--accent'),
  };
  return palette;
}

/** Light and dark changed places. */
export function forgetPalette(): void {
  palette = undefined;
}

/** Each state has a shape of its own, so that colour is never all that tells. */
export function drawShape(context: CanvasRenderingContext2D, state: PodState, x: number, y: number, size: number): void {
  const colour = currentPalette().state[state];
  const line = Math.max(1.4, size / 7);
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineWidth = line;
  context.beginPath();
  shapes[state](context, x, y, size, line);
}

type Shape = (context: CanvasRenderingContext2D, x: number, y: number, size: number, line: number) => void;

const roundedSquare: Shape = (context, x, y, size) => {
  context.roundRect(x, y, size, size, size / 4);
  context.fill();
};
const hollowSquare: Shape = (context, x, y, size, line) => {
  context.setLineDash([size / 4, size / 5]);
  context.roundRect(x + line / 2, y + line / 2, size - line, size - line, size / 4);
  context.stroke();
  context.setLineDash([]);
};
const ring: Shape = (context, x, y, size, line) => {
  context.arc(x + size / 2, y + size / 2, (size - line) / 2, 0, 2 * Math.PI);
  context.stroke();
  context.beginPath();
  context.moveTo(x + size / 2, y + size / 2);
  context.arc(x + size / 2, y + size / 2, (size - line) / 2, -Math.PI / 2, Math.PI / 2);
  context.fill();
};
const triangle: Shape = (context, x, y, size) => {
  context.moveTo(x + size / 2, y);
  context.lineTo(x + size, y + size * 0.94);
  context.lineTo(x, y + size * 0.94);
  context.closePath();
  context.fill();
};
const cross: Shape = (context, x, y, size, line) => {
  const inset = line;
  context.lineWidth = line * 1.5;
  context.moveTo(x + inset, y + inset);
  context.lineTo(x + size - inset, y + size - inset);
  context.moveTo(x + size - inset, y + inset);
  context.lineTo(x + inset, y + size - inset);
  context.stroke();
};
const dot: Shape = (context, x, y, size) => {
  context.arc(x + size / 2, y + size / 2, size * 0.34, 0, 2 * Math.PI);
  context.fill();
};
const diamond: Shape = (context, x, y, size, line) => {
  const half = size / 2;
  context.moveTo(x + half, y + line / 2);
  context.lineTo(x + size - line / 2, y + half);
  context.lineTo(x + half, y + size - line / 2);
  context.lineTo(x + line / 2, y + half);
  context.closePath();
  context.stroke();
};

const shapes: Readonly<Record<PodState, Shape>> = {
  running: roundedSquare,
  starting: ring,
  pending: diamond,
  failing: triangle,
  failed: cross,
  succeeded: dot,
  terminating: hollowSquare,
  unknown: diamond,
};

/** A tile with room for a name: shape, name, and what kubectl would say. */
export function drawNamedTile(context: CanvasRenderingContext2D, pod: PodView, x: number, y: number, width: number, height: number): void {
  const { tile, text, soft, state } = currentPalette();
  context.fillStyle = tile;
  context.beginPath();
  context.roundRect(x, y, width, height, 7);
  context.fill();
  const troubled = pod.state === 'failing' || pod.state === 'failed' || pod.state === 'unknown';
  if (troubled) {
    context.strokeStyle = state[pod.state];
    context.lineWidth = 1;
    context.beginPath();
    context.roundRect(x + 0.5, y + 0.5, width - 1, height - 1, 6.5);
    context.stroke();
  }
  drawShape(context, pod.state, x + 8, y + height / 2 - 6, 12);
  context.textBaseline = 'alphabetic';
  context.fillStyle = text;
  context.font = '500 11.5px system-ui, sans-serif';
  const letters = Math.floor((width - 32) / 6.1);
  context.fillText(shortName(pod.name, letters), x + 27, y + 14.5, width - 32);
  context.fillStyle = troubled ? state[pod.state] : soft;
  context.font = '10px system-ui, sans-serif';
  const restarts = pod.restarts > 0 ? ` · ↻${pod.restarts}` : '';
  context.fillText(`${pod.reason}${restarts}`, x + 27, y + 27, width - 32);
}

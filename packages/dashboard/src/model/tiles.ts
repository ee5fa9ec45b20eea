/** How the pods of one box are drawn: in CSS pixels. */
export interface TileLayout {
  readonly width: number;
  readonly height: number;
  /** Between tiles. */
  readonly gap: number;
  readonly columns: number;
  readonly rows: number;
  /** True when a tile has room for a name. */
  readonly named: boolean;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A box may grow so high before its tiles become smaller: one of a few, and one of many. */
const HEIGHT_WANTED = { named: 400, squares: 220 };
const HEIGHT_WANTED_DENSE = { named: 76, squares: 110 };
const NAMED = { width: 132, height: 34, gap: 6 };
const SQUARES = [24, 18, 13, 10, 8] as const;

/**
 * The largest tiles of which `count` fit a box of `width`; the smallest when none do: then the box grows.
 *
 * @param dense - True for a box among many.
 */
export function tileLayout(width: number, count: number, dense = false): TileLayout {
  const wanted = dense ? HEIGHT_WANTED_DENSE : HEIGHT_WANTED;
  const columns = Math.max(1, Math.floor((width + NAMED.gap) / (NAMED.width + NAMED.gap)));
  const named: TileLayout = {
    ...NAMED,
    width: (width + NAMED.gap) / columns - NAMED.gap,
    columns,
    rows: Math.ceil(count / columns),
    named: true,
  };
  if (heightOf(named) <= wanted.named) return named;
  const layouts = SQUARES.map((size) => squares(width, count, size));
  return layouts.find((layout) => heightOf(layout) <= wanted.squares) ?? squares(width, count, SQUARES[SQUARES.length - 1] ?? 8);
}

function squares(width: number, count: number, size: number): TileLayout {
  const gap = size >= 18 ? 4 : size >= 13 ? 3 : 2;
  const columns = Math.max(1, Math.floor((width + gap) / (size + gap)));
  return { width: size, height: size, gap, columns, rows: Math.ceil(count / columns), named: false };
}

export const heightOf = ({ rows, height, gap }: TileLayout): number => Math.max(0, rows * (height + gap) - gap);

export function placeOf({ columns, width, height, gap }: TileLayout, slot: number): Place {
  return { x: (slot % columns) * (width + gap), y: Math.floor(slot / columns) * (height + gap) };
}

/** The slot under a point; undefined in a gap or outside. */
export function slotAt({ columns, width, height, gap }: TileLayout, x: number, y: number): number | undefined {
  const [column, row] = [Math.floor(x / (width + gap)), Math.floor(y / (height + gap))];
  const inside = x >= 0 && y >= 0 && column < columns && x - column * (width + gap) <= width && y - row * (height + gap) <= height;
  return inside ? row * columns + column : undefined;
}

export type Direction = 'left' | 'right' | 'up' | 'down' | 'first' | 'last';

/** The next place in use in a direction, row-wise for left and right; `from` when there is none. */
export function nextSlot(
  { columns }: TileLayout,
  length: number,
  from: number,
  direction: Direction,
  used: (slot: number) => boolean,
): number {
  const step = { left: -1, right: 1, up: -columns, down: columns, first: 1, last: -1 }[direction];
  let slot = direction === 'first' ? 0 : direction === 'last' ? length - 1 : from + step;
  while (slot >= 0 && slot < length && !used(slot)) slot += step;
  return slot >= 0 && slot < length ? slot : from;
}

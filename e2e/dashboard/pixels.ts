import type { BrowserContext } from 'playwright-core';

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PixelReader {
  /** How many pixels of a screenshot have nearly `colour` (`#rrggbb`) in `area`. */
  count(png: Buffer, area: Area, colour: string): Promise<number>;
  close(): Promise<void>;
}

/** Reads screenshots in the browser itself: no other reader is needed. */
export async function newPixelReader(context: BrowserContext): Promise<PixelReader> {
  const page = await context.newPage();
  return {
    count: (png, area, colour) => page.evaluate<number>(`(${PROGRAM})(${JSON.stringify([png.toString('base64'), area, colour])})`),
    close: () => page.close(),
  };
}

/** As text, because it runs in the page: the names in it are the browser's. */
const PROGRAM = `async ([base64, area, colour]) => {
  const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(Math.round(area.x), Math.round(area.y), Math.round(area.width), Math.round(area.height));
  const wanted = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (wanted.every((value, channel) => Math.abs(data[at + channel] - value) < 8)) count += 1;
  }
  return count;
}`;

const pageBytes = 4096;
/** Of the trees' roots, the free list and the head. */
const fixedPages = 64;
/** An event changes four trees, each along a path of few pages that may split. */
const pagesPerEvent = 20;

/** What a transaction takes on disk at most: pages are written anew, never in place, and a value lies in two tables. */
export const transactionBytes = (events: number, valueBytes: number): number =>
  (fixedPages + events * pagesPerEvent) * pageBytes + 2 * valueBytes;

const isAboveSurrogates = /[\ud800-\uffff]/;
const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

// UTF-16 puts surrogates (characters past U+FFFF) below U+E000..U+FFFF, UTF-8 puts them above. Everything else agrees.
function compareUnits(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA === unitB) continue;
    if (isSurrogate(unitA) !== isSurrogate(unitB) && unitA >= 0xd800 && unitB >= 0xd800) return isSurrogate(unitA) ? 1 : -1;
    return unitA - unitB;
  }
  return a.length - b.length;
}

/** Order of two keys by their UTF-8 bytes: below, equal to or above 0. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  // Only when both have characters from U+D800 on can the orders differ.
  if (isAboveSurrogates.test(a) && isAboveSurrogates.test(b)) return compareUnits(a, b);
  return a < b ? -1 : 1;
}

/** True for keys in [start, end). */
export function keyRange(start: string, end: string): (key: string) => boolean {
  if (isAboveSurrogates.test(start) || isAboveSurrogates.test(end)) {
    return (key) => compareKeys(key, start) >= 0 && compareKeys(key, end) < 0;
  }
  return (key) => key >= start && key < end;
}

/** Lets each line of one log pass once, however often it is read from somewhere before where it was left. */
export interface LineFilter {
  /** Where to read on, for `sinceTime`: whole seconds, so what comes may have been seen. Absent: from the first line. */
  sinceTime(): string | undefined;
  /** The log is read again, from {@link sinceTime} on. */
  again(): void;
  /** @returns the text, without its time, of a line that is new. */
  pass(line: string): string | undefined;
}

const stamp = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?/;

export function newLineFilter(): LineFilter {
  let newest = ''; // Key of the newest line so far.
  let newestSeconds: string | undefined;
  let shown = 0; // Lines at exactly that time.
  let again = 0; // Of these, met since the log is read again.
  return {
    sinceTime: () => newestSeconds,
    again() {
      again = 0;
    },
    pass(line) {
      const [whole, seconds = '', fraction = '', zone = ''] = stamp.exec(line) ?? [];
      if (whole === undefined) return line; // No line of a log: told as it is.
      const epoch = Date.parse(`${seconds}${zone}`);
      const key = `${String(epoch / 1000).padStart(12, '0')}.${fraction.padEnd(9, '0')}`;
      if (key < newest) return undefined;
      if (key === newest) {
        again += 1;
        if (again <= shown) return undefined;
        shown += 1;
      } else {
        newest = key;
        newestSeconds = new Date(epoch).toISOString().replace('.000', '');
        shown = 1;
        again = 1;
      }
      return line.slice(whole.length);
    },
  };
}

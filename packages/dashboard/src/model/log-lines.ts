export const LINES_MAX = 5_000;
/** A longer line is shown cut. */
export const LINE_LENGTH_MAX = 4_000;

export interface LogLine {
  /** RFC 3339; empty where the log has none. */
  readonly at: string;
  readonly text: string;
}

/** The end of a log that is followed, in bounded memory. */
export interface LogLines {
  readonly lines: readonly LogLine[];
  /** Older lines that were let go. */
  readonly dropped: number;
  /** A line without its end waits for the rest. */
  append(text: string): void;
}

export function newLogLines(): LogLines {
  const lines: LogLine[] = [];
  let rest = '';
  let dropped = 0;
  return {
    lines,
    get dropped() {
      return dropped;
    },
    append(text) {
      const parts = (rest + text).split('\n');
      rest = (parts.pop() ?? '').slice(0, LINE_LENGTH_MAX + 40);
      for (const part of parts) lines.push(lineOf(part));
      if (lines.length <= LINES_MAX) return;
      dropped += lines.length - LINES_MAX;
      lines.splice(0, lines.length - LINES_MAX);
    },
  };
}

function lineOf(text: string): LogLine {
  const [, at = '', line = text] = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (.*)$/s.exec(text) ?? [];
  return { at, text: plain(line).slice(0, LINE_LENGTH_MAX) };
}

/** Without colours and other orders to a terminal. */
function plain(text: string): string {
  const escapeCharacter = String.fromCharCode(27);
  return text
    .split(escapeCharacter)
    .map((part, index) => (index === 0 ? part : part.replace(/^\[[0-9;?]*[A-Za-z]/, '')))
    .join('')
    .replace(/\r/g, '');
}

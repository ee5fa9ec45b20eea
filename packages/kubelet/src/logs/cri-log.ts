/** One line of a container's log in the CRI format: `<RFC 3339 time> <stream> <tags> <content>`. */
export interface LogLine {
  /** As written: RFC 3339 with nanoseconds. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** Only a part of what the container wrote as one line: no newline was there. */
  readonly partial: boolean;
  /** With its newline, unless partial. */
  readonly content: Buffer;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;

/** Reads one line, newline included. `undefined` for what is no log line: a crash may leave half of one. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const afterTime = line.indexOf(SPACE);
  const afterStream = afterTime < 0 ? -1 : line.indexOf(SPACE, afterTime + 1);
  const afterTags = afterStream < 0 ? -1 : line.indexOf(SPACE, afterStream + 1);
  if (afterTags < 0) return undefined;
  const stream = line.toString('latin1', afterTime + 1, afterStream);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const [tag] = line.toString('latin1', afterStream + 1, afterTags).split(':');
  const partial = tag === 'P';
  const end = partial && line[line.length - 1] === NEWLINE ? line.length - 1 : line.length;
  return { time: line.toString('latin1', 0, afterTime), stream, partial, content: line.subarray(afterTags + 1, end) };
}

/** Cuts a stream of chunks into lines with their newlines; keeps what has none yet. */
export interface LineSplitter {
  push(chunk: Buffer): readonly Buffer[];
  /** Bytes of an unfinished line. */
  readonly pending: number;
}

export function newLineSplitter(): LineSplitter {
  let rest: Buffer = Buffer.alloc(0);
  return {
    get pending() {
      return rest.length;
    },
    push(chunk) {
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const lines: Buffer[] = [];
      let from = 0;
      for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, from)) {
        lines.push(data.subarray(from, at + 1));
        from = at + 1;
      }
      rest = Buffer.from(data.subarray(from)); // A copy: the chunk's memory may be used again.
      return lines;
    },
  };
}

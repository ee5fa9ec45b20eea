/** What the writing process says, one line each, as soon as it knows it. */
export type Report =
  /** The store is open at `revision`. */
  | { readonly type: 'open'; readonly revision: number }
  /** The write was acknowledged. */
  | { readonly type: 'ack'; readonly writer: number; readonly value: number; readonly revision: number };

export const keyOf = (writer: number): string => `/registry/crash/writer-${writer}`;
/** Written by each transaction together with the writer's own key. */
export const sharedKeyOf = (writer: number): string => `/registry/crash/shared-${writer % 3}`;

export function encodeReport(report: Report): string {
  return `${JSON.stringify(report)}\n`;
}

/** Reports of what was read from the pipe; what follows the last line end was cut off by the kill, and says nothing. */
export const decodeReports = (text: string): Report[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Report);

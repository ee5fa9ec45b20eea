import type { ServerResponse } from 'node:http';
import type { Sink } from '../feed/viewer.ts';

/** Messages as lines of JSON in one answer without end. Full when the socket holds more than its high water mark. */
export function streamSink(response: ServerResponse): Sink {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  return {
    write: (json) => response.write(`${json}\n`),
    onDrain: (fn) => void response.on('drain', fn),
  };
}

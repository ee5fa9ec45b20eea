import type { Transport } from '@orrery/client';

/** A transport whose connections may be replaced by others, as with new credentials. */
export interface SwappableTransport extends Transport {
  /** New requests go to `next`; the old transport is closed, so that watches begin anew. */
  swap(next: Required<Transport>): Promise<void>;
}

export function newSwappableTransport(first: Required<Transport>): SwappableTransport {
  let current = first;
  return {
    send: (request, signal) => current.send(request, signal),
    watch: (request, signal) => current.watch(request, signal),
    raw: (request, signal) => current.raw(request, signal),
    upgrade: (request, signal) => current.upgrade(request, signal),
    close: () => current.close(),
    async swap(next) {
      const old = current;
      current = next;
      await old.close();
    },
  };
}

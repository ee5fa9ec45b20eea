import type { Clock } from '@orrery/base';
import type { Resolver } from '../resolver.ts';
import type { ListenAddress, Listener } from './listen-address.ts';
import { listenOverTcp } from './tcp-listener.ts';
import { listenOverUdp } from './udp-listener.ts';

const PORT_TRIES = 10;

/** UDP and TCP on one address and one port. Rejects when one of them cannot be had; then none stays. */
export async function listen(
  where: ListenAddress,
  resolver: Resolver,
  clock: Clock,
  onError: (error: Error) => void,
): Promise<Listener & ListenAddress> {
  for (let tries = 1; ; tries += 1) {
    const udp = await listenOverUdp(where, resolver, onError);
    try {
      const tcp = await listenOverTcp({ ...where, port: udp.port }, resolver, clock, onError);
      return {
        address: where.address,
        port: udp.port,
        close: async () => {
          await Promise.all([udp.close(), tcp.close()]);
        },
      };
    } catch (error) {
      await udp.close();
      // Any free port of UDP may be taken for TCP.
      if (where.port !== 0 || tries === PORT_TRIES) throw error;
    }
  }
}

import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Resolver } from '../resolver.ts';
import type { ListenAddress, Listener } from './listen-address.ts';

/** Room for bursts while the process does something else: 5,000 questions a second are 100 bytes each. Linux cuts it to `rmem_max`. */
const RECEIVE_BUFFER_BYTES = 1 << 20;

/** Rejects when the address cannot be had. @param onError - Told of what the socket says later. */
export function listenOverUdp({ address, port }: ListenAddress, resolver: Resolver, onError: (error: Error) => void): Promise<Listener> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
  let open = true;
  socket.on('message', (packet, client) => {
    resolver.answer(packet, 'udp', (message) => {
      // A client that went away is no fault of ours: UDP promises nothing.
      if (open && client.port !== 0) socket.send(message, client.port, client.address, ignore);
    });
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      socket.on('error', onError);
      resolve({
        port: socket.address().port,
        close: () =>
          new Promise((closed) => {
            open = false;
            socket.close(() => closed());
          }),
      });
    });
  });
}

const ignore = (): void => undefined;

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';

/** Idle connections of probes are not worth keeping. */
const KEEP_ALIVE_MS = 1000;

/** @param host - undefined: every address of the machine. @throws the system's error when it cannot listen. */
export async function listen(port: number, host: string | undefined, handler: RequestListener): Promise<Server> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, handler);
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  await once(server, 'listening'); // Rejects with an 'error'.
  return server;
}

/** Ends it with all its connections. */
export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

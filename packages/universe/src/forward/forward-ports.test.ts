import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { realClock } from '@orrery/base';
import { newHttpsTransport } from '@orrery/client';
import { afterEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { newPortForward } from './forward-ports.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const message = (channel: number, data: Buffer | string): Buffer => Buffer.concat([Buffer.from([channel]), Buffer.from(data)]);

/** Pods that answer through `onData`; each connection begins with the port on both channels, as a kubelet does. */
async function forwarding(names: () => readonly string[], onData: (pod: string, socket: WebSocket, data: Buffer) => void) {
  const server = createServer();
  const sockets = new WebSocketServer({
    server,
    handleProtocols: () => 'v4.channel.k8s.io',
    verifyClient: ({ req }: { req: { url?: string | undefined } }) => !(req.url ?? '').includes('/gone/'),
  });
  sockets.on('connection', (socket, request) => {
    const pod = /pods\/([^/]+)\//.exec(request.url ?? '')?.[1] ?? '';
    for (const channel of [0, 1]) socket.send(message(channel, Buffer.from([0x90, 0x1f])));
    if (pod === 'dead') socket.send(message(1, 'connection refused'), () => socket.close());
    else socket.on('message', (data: Buffer) => onData(pod, socket, data.subarray(1)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const transport = newHttpsTransport({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const problems: string[] = [];
  const pods = () => names().map((name) => ({ namespace: 'ns', name }));
  const forward = await newPortForward({
    transport,
    clock: realClock,
    pods,
    local: 0,
    remote: 8080,
    onProblem: (text) => problems.push(text),
  });
  cleanups.push(
    () => server.close(),
    () => {
      for (const client of sockets.clients) client.terminate();
    },
    () => transport.close(),
    () => forward.close(),
  );
  return { port: forward.port, problems };
}

/** What comes back for what is sent, until the other side ends. */
const exchange = (port: number, data: string | Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(data));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('close', () => resolve(Buffer.concat(chunks).toString()));
  });

const sayName = (pod: string, socket: WebSocket): void => socket.send(message(0, pod), () => socket.close());

test('connections go to the ready pods in turn, and past one that is gone', async () => {
  const { port } = await forwarding(() => ['a', 'b', 'c'], sayName);
  const answers = await Promise.all(Array.from({ length: 30 }, () => exchange(port, 'x')));
  for (const name of ['a', 'b', 'c']) expect(answers.filter((answer) => answer === name)).toHaveLength(10);
  const second = await forwarding(() => ['gone', 'a'], sayName);
  expect(await Promise.all([1, 2, 3].map(() => exchange(second.port, 'x')))).toEqual(['a', 'a', 'a']);
});

test('a connection waits for a pod when none is ready', async () => {
  let names: readonly string[] = [];
  const { port } = await forwarding(() => names, sayName);
  const answer = exchange(port, 'x');
  setTimeout(() => (names = ['late']), 300);
  expect(await answer).toBe('late');
});

test('megabytes go both ways through slow readers', async () => {
  const size = 8 * 1024 * 1024;
  let received = 0;
  const { port } = await forwarding(
    () => ['a'],
    (_, socket, data) => {
      received += data.length;
      socket.send(message(0, data), () => {
        if (received === size) socket.close();
      });
    },
  );
  expect((await exchange(port, Buffer.alloc(size, 'x'))).length).toBe(size);
});

test('what the pod says of a failure is told', async () => {
  const { port, problems } = await forwarding(() => ['dead'], sayName);
  await exchange(port, '');
  expect(problems.join()).toContain('connection refused');
});

test('a port that is taken is told', async () => {
  const { port } = await forwarding(() => [], sayName);
  const transport = newHttpsTransport({ server: 'http://127.0.0.1:1' });
  await expect(newPortForward({ transport, clock: realClock, pods: () => [], local: port, remote: 1 })).rejects.toThrow('it is in use');
  await transport.close();
});

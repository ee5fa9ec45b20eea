import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newHttpsTransport } from '@orrery/client';
import { expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { runInPod } from './run-in-pod.ts';
import { sendCode } from './send-code.ts';

/** A server of pods' streams; `accept` plays the pod. */
async function serving<T>(
  protocol: string,
  accept: (socket: WebSocket, query: URLSearchParams) => void,
  use: (transport: ReturnType<typeof newHttpsTransport>) => Promise<T>,
): Promise<T> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, handleProtocols: (asked) => (asked.has(protocol) ? protocol : false) });
  sockets.on('connection', (socket, request) => accept(socket, new URL(request.url ?? '', 'http://x').searchParams));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const transport = newHttpsTransport({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  try {
    return await use(transport);
  } finally {
    await transport.close();
    for (const client of sockets.clients) client.terminate();
    server.close();
  }
}

const message = (channel: number, text: string | Buffer): Buffer => Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
const success = message(3, '{"status":"Success"}');
const target = { namespace: 'ns', pod: 'p', container: 'c' };

test.each([
  ['v5.channel.k8s.io', 1],
  ['v4.channel.k8s.io', 0],
])('%s: input goes, outputs come apart, and the exit code', async (protocol, closes) => {
  const seen: { input: string; commands: string[]; closed: number } = { input: '', commands: [], closed: 0 };
  const [out, err]: [string[], string[]] = [[], []];
  const accept = (socket: WebSocket, query: URLSearchParams): void => {
    seen.commands = query.getAll('command');
    socket.on('message', (data: Buffer) => {
      if (data[0] === 255) seen.closed += 1;
      else seen.input += data.subarray(1).toString();
      if (!seen.input.endsWith('.') || (closes === 1 && seen.closed === 0)) return;
      socket.ping();
      socket.send(message(1, 'out'));
      socket.send(message(2, 'err'));
      const status = { status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '7' }] } };
      socket.send(message(3, JSON.stringify(status)));
      socket.close();
    });
  };
  const code = await serving(protocol, accept, (transport) =>
    runInPod({
      transport,
      ...target,
      action: { exec: ['a b', '&c=1'] },
      input: [Buffer.from('one '), Buffer.from('two.')],
      onStdout: (data) => out.push(data.toString()),
      onStderr: (data) => err.push(data.toString()),
    }),
  );
  expect([code, out.join(''), err.join(''), seen.input, seen.commands, seen.closed]).toEqual([
    7,
    'out',
    'err',
    'one two.',
    ['a b', '&c=1'],
    closes,
  ]);
});

test('a connection that breaks without a result is an error', async () => {
  await serving(
    'v5.channel.k8s.io',
    (socket) => socket.terminate(),
    async (transport) =>
      expect(runInPod({ transport, ...target, action: { exec: ['x'] } })).rejects.toThrow('the connection to pod p broke'),
  );
});

test('an abort ends it with its reason', async () => {
  const stop = new AbortController();
  await serving(
    'v5.channel.k8s.io',
    () => stop.abort(new Error('enough')),
    async (transport) => expect(runInPod({ transport, ...target, signal: stop.signal })).rejects.toThrow('enough'),
  );
});

test('code arrives whole, in pieces, with progress; what the pod says of a failure is told', async () => {
  const code = Buffer.alloc(5_000_000, 'universe');
  const hash = createHash('sha256');
  let received = 0;
  const progress: number[] = [];
  const accept = (socket: WebSocket, query: URLSearchParams): void => {
    socket.on('message', (data: Buffer) => {
      if (data[0] !== 0) return;
      hash.update(data.subarray(1));
      received += data.length - 1;
      if (received === Number(query.getAll('command').at(-1))) socket.send(success, () => socket.close());
    });
  };
  await serving('v5.channel.k8s.io', accept, (transport) =>
    sendCode({ transport, namespace: 'ns', pod: 'p', code, onProgress: (bytes) => progress.push(bytes) }),
  );
  expect(hash.digest('hex')).toBe(createHash('sha256').update(code).digest('hex'));
  expect(progress.at(-1)).toBe(code.length);

  const refuse = (socket: WebSocket): void => {
    socket.send(message(2, 'universe: not the code that was sent'));
    const status = { status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '70' }] } };
    socket.send(message(3, JSON.stringify(status)), () => socket.close());
  };
  await serving('v5.channel.k8s.io', refuse, async (transport) =>
    expect(sendCode({ transport, namespace: 'ns', pod: 'p', code: Buffer.from('x') })).rejects.toThrow(
      'pod p did not take the code (exit code 70): universe: not the code that was sent',
    ),
  );
});

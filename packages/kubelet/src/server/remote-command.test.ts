import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { serveCommand } from './remote-command.ts';

type Run = Parameters<typeof serveCommand>[2];
const options = { stdin: false, stdout: true, stderr: true, tty: false };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** What a client hears of `run`: the bytes of each channel, and the channels in the order of their last messages. */
async function heardOf(run: Run): Promise<{ readonly bytes: ReadonlyMap<number, Buffer>; readonly order: readonly number[] }> {
  const server = createServer().listen(0, '127.0.0.1');
  const sockets = new WebSocketServer({ server });
  closers.push(() => void server.close());
  await once(server, 'listening');
  sockets.on('connection', (socket) => {
    const running: Run = (streams, signal) => run(streams, signal).finally(() => void opened.then(() => client.resume()));
    void serveCommand(socket, options, running, 'error executing command in container');
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, 'v4.channel.k8s.io');
  const opened = once(client, 'open').then(() => client.pause()); // It reads late: what was written has to wait.
  const chunks = new Map<number, Buffer[]>();
  client.on('message', (message: Buffer) => {
    const channel = message[0] ?? -1;
    const before = chunks.get(channel) ?? [];
    chunks.delete(channel);
    chunks.set(channel, before);
    before.push(message.subarray(1));
  });
  await once(client, 'close');
  return { bytes: new Map([...chunks].map(([channel, all]) => [channel, Buffer.concat(all)])), order: [...chunks.keys()] };
}

describe('serveCommand', () => {
  test('sends what was written last before the result, also when the command did not wait', async () => {
    const chunk = Buffer.alloc(4096, 'x');
    const { bytes, order } = await heardOf(async ({ stdout, stderr }) => {
      for (let i = 0; i < 4000; i++) stdout?.write(chunk);
      stderr?.write('the end');
      return 0;
    });
    expect(bytes.get(1)?.length).toBe(4000 * 4096);
    expect(bytes.get(2)?.toString()).toBe('the end');
    expect(JSON.parse(String(bytes.get(3)))).toEqual({ metadata: {}, status: 'Success' });
    expect(order.at(-1)).toBe(3);
  });

  test('of a command that failed, with its output before', async () => {
    const { bytes } = await heardOf(async ({ stdout }) => {
      stdout?.write('so far');
      throw new Error('gone');
    });
    expect(bytes.get(1)?.toString()).toBe('so far');
    expect(JSON.parse(String(bytes.get(3)))).toMatchObject({ reason: 'InternalError' });
  });
});

import { EventEmitter } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Exchange, OutgoingHeaders } from './exchange.ts';
import { send } from './send.ts';

/** A client that takes `windowBytes` at a time, and more only when asked again. */
function newClient(address: string, headers: Record<string, string>, windowBytes = Number.POSITIVE_INFINITY) {
  const chunks: Buffer[] = [];
  const sent: { code: number; headers: OutgoingHeaders; ended: boolean; waits: number } = { code: 0, headers: {}, ended: false, waits: 0 };
  let room = windowBytes;
  const response = Object.assign(new EventEmitter(), {
    headersSent: false,
    writableEnded: false,
    statusCode: 0,
    writeHead: (code: number, all: OutgoingHeaders) => Object.assign(sent, { code, headers: all }),
    flushHeaders: () => undefined,
    write(chunk: Buffer) {
      chunks.push(Buffer.from(chunk));
      room -= chunk.length;
      if (room > 0) return true;
      sent.waits++;
      queueMicrotask(() => {
        room = windowBytes;
        response.emit('drain');
      });
      return false;
    },
    end(chunk?: Buffer | string) {
      if (chunk !== undefined) chunks.push(Buffer.from(chunk));
      sent.ended = true;
    },
    destroy: () => undefined,
  });
  const controller = new AbortController();
  const exchange = {
    request: { headers, socket: { remoteAddress: address } },
    response,
    method: 'GET',
    headers: { 'Audit-Id': 'a' },
    signal: controller.signal,
  } as unknown as Exchange;
  return { exchange, controller, sent, body: () => Buffer.concat(chunks) };
}

const pieces = Array.from({ length: 5000 }, (_, index) => Buffer.from(`{"n":${index},"x":"${'y'.repeat(200)}"},`));
const whole = Buffer.concat(pieces);
const options = { gzipBytesMin: 128 * 1024 };
const gzip = { 'accept-encoding': 'deflate, gzip;q=0.8' };

describe('an answer of many pieces', () => {
  test('arrives whole at a slow client, which is waited for', async () => {
    const client = newClient('10.0.0.1', {}, 100_000);
    await send(client.exchange, 200, 'application/json', pieces, options);
    expect([client.body().equals(whole), client.sent.ended, client.sent.headers['Content-Length']]).toEqual([true, true, whole.length]);
    expect(client.sent.waits).toBeGreaterThan(3);
  });

  test('stops when the request is aborted', async () => {
    const client = newClient('10.0.0.1', {}, 1);
    client.controller.abort(new Error('gone'));
    await expect(send(client.exchange, 200, 'application/json', pieces, options)).rejects.toThrow('gone');
    expect(client.sent.ended).toBe(false);
  });
});

describe('compression', () => {
  const cases = [
    { name: 'a client elsewhere that accepts it', address: '10.0.0.1', headers: gzip, compressed: true },
    { name: 'this machine', address: '127.0.0.1', headers: gzip, compressed: false },
    { name: 'this machine in IPv6', address: '::ffff:127.0.0.1', headers: gzip, compressed: false },
    { name: 'a client that refuses it', address: '10.0.0.1', headers: { 'accept-encoding': 'gzip;q=0' }, compressed: false },
    { name: 'a client that says nothing', address: '10.0.0.1', headers: {}, compressed: false },
  ];
  for (const { name, address, headers, compressed } of cases) {
    test(name, async () => {
      const client = newClient(address, headers, 50_000);
      await send(client.exchange, 200, 'application/json', pieces, options);
      expect(client.sent.headers['Content-Encoding']).toBe(compressed ? 'gzip' : undefined);
      expect((compressed ? gunzipSync(client.body()) : client.body()).equals(whole)).toBe(true);
    });
  }

  test('small answers stay as they are', async () => {
    const client = newClient('10.0.0.1', gzip);
    await send(client.exchange, 200, 'application/json', ['{}'], options);
    expect([client.body().toString(), client.sent.headers['Content-Encoding']]).toEqual(['{}', undefined]);
  });
});

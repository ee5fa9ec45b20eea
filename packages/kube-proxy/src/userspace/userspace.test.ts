import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { endpointSlices, services } from '@orrery/api';
import { newSeededRandom, realClock } from '@orrery/base';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newKubeProxy } from '../kube-proxy.ts';
import { testService, testSlice } from '../testing/objects.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
const stop = new AbortController();
let running: Promise<void>;
const closers: (() => void)[] = [];

beforeAll(async () => {
  api = startTestApi();
  const proxy = newKubeProxy({
    informers: api.informers,
    clock: realClock,
    random: newSeededRandom(1),
    nodeName: 'here',
    nodeAddresses: ['127.97.0.1'],
    instanceId: 'test',
    mode: 'userspace',
  });
  running = proxy.run(stop.signal);
  await proxy.waitForSync(stop.signal);
});

afterAll(async () => {
  stop.abort();
  await running;
  for (const close of closers) close();
  await api.close();
});

/** Answers every connection with `text`, then with what it gets. */
async function tcpServer(address: string, text: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(text);
    socket.pipe(socket);
  }).listen(0, address);
  await once(server, 'listening');
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

function ask(address: string, port: number, said = ''): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(port, address, () => socket.end(said));
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    socket.on('close', () => resolve(heard));
  });
}

async function eventually(call: () => Promise<string>, wanted: string): Promise<void> {
  let heard = await call();
  for (let attempt = 0; heard !== wanted && attempt < 200; attempt++) {
    await realClock.sleep(10);
    heard = await call();
  }
  expect(heard).toBe(wanted);
}

test('TCP: spread over endpoints, passing over one that is dead, refused without any', async () => {
  const port = await tcpServer('127.97.1.1', 'one ');
  await api.client.create(services, testService('tcp', '127.97.0.10', [{ port: 8001, nodePort: 38001 }], { type: 'NodePort' }));
  await eventually(() => ask('127.97.0.10', 8001), 'ECONNREFUSED');
  const slice = await api.client.create(endpointSlices, testSlice('tcp', port, ['127.97.1.1', '127.97.1.2']));
  await eventually(() => ask('127.97.0.10', 8001, 'hello'), 'one hello');
  expect(await ask('127.97.0.10', 8001, 'again')).toBe('one again');
  expect(await ask('127.97.0.1', 38001, 'x')).toBe('one x');
  expect(await ask('127.0.0.1', 38001, 'y')).toBe('one y');
  await api.client.update(endpointSlices, { ...slice, endpoints: [] });
  await eventually(() => ask('127.97.0.10', 8001), 'ECONNREFUSED');
});

test('TCP: a client with affinity stays', async () => {
  const port = await tcpServer('127.97.2.1', 'a');
  const other = createServer((socket) => socket.end('b')).listen(port, '127.97.2.2');
  await once(other, 'listening');
  closers.push(() => other.close());
  await api.client.create(services, testService('sticky', '127.97.0.11', [{ port: 8002 }], { sessionAffinity: 'ClientIP' }));
  await api.client.create(endpointSlices, testSlice('sticky', port, ['127.97.2.1', '127.97.2.2']));
  await eventually(async () => ((await ask('127.97.0.11', 8002)) === 'ECONNREFUSED' ? 'no' : 'yes'), 'yes');
  const answers = [];
  for (let call = 0; call < 6; call++) answers.push(await ask('127.97.0.11', 8002));
  expect(new Set(answers).size).toBe(1);
});

test('UDP', async () => {
  const server = createSocket('udp4');
  server.on('message', (packet, from) => server.send(`echo ${packet.toString()}`, from.port, from.address));
  server.bind(0, '127.97.3.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  const udp = [{ name: '', port: server.address().port, protocol: 'UDP' }];
  await api.client.create(services, testService('udp', '127.97.0.12', [{ port: 8003, protocol: 'UDP' }]));
  await api.client.create(endpointSlices, testSlice('udp', 0, ['127.97.3.1'], { ports: udp }));
  const client = createSocket('udp4');
  closers.push(() => client.close());
  const heard = once(client, 'message');
  let answered = false;
  void heard.then(() => {
    answered = true;
  });
  for (let attempt = 0; !answered && attempt < 200; attempt++) {
    client.send('hi', 8003, '127.97.0.12');
    await realClock.sleep(10);
  }
  expect(String((await heard)[0])).toBe('echo hi');
});

test('a port that cannot be served disturbs no other', async () => {
  const port = await tcpServer('127.97.4.1', 'fine');
  await api.client.create(services, testService('taken', '127.97.4.1', [{ port }]));
  await api.client.create(endpointSlices, testSlice('taken', port, ['127.97.4.1']));
  await api.client.create(services, testService('free', '127.97.0.14', [{ port: 8004 }]));
  await api.client.create(endpointSlices, testSlice('free', port, ['127.97.4.1']));
  await eventually(() => ask('127.97.0.14', 8004), 'fine');
});

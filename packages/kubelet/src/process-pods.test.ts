import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configMaps, pods } from '@orrery/api';
import type { Container, Pod, PodSpec } from '@orrery/api/core/v1';
import { realClock, systemRandom } from '@orrery/base';
import { silentLogger } from '@orrery/component';
import { openProcessRuntime, type ProcessRuntime, parseImageMap } from '@orrery/cri-process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';
import { nodeAddresses } from './config.ts';
import { type Kubelet, newKubelet } from './kubelet.ts';
import { controlFrame, dataFrameHead, FLAG_FIN, frameTypes, newFrameSplitter, uint32 } from './spdy/frames.ts';
import { newHeaderCodec } from './spdy/header-codec.ts';
import { newTestCertificates, type TestCertificates } from './testing/certificates.ts';
import { newMemoryApi } from './testing/memory-api.ts';

// Real processes, real files, real TLS: what the kubelet's parts do together.
let root = '';
let runtime: ProcessRuntime;
let kubelet: Kubelet;
let certificates: TestCertificates;
let running: Promise<void>;
const api = newMemoryApi(realClock);
let stop = new AbortController();
const events: string[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'orrery-pods-'));
  certificates = await newTestCertificates();
  runtime = await openProcessRuntime({
    directory: join(root, 'runtime'),
    clock: realClock,
    random: systemRandom,
    imageMap: parseImageMap({ images: { 'sh:*': { entrypoint: ['/bin/sh', '-c'] } } }),
    environment: { PATH: process.env['PATH'] ?? '', HOME: '/' },
    hostAddress: '127.0.0.1',
  });
  startKubelet();
});

function startKubelet(): void {
  stop = new AbortController();
  kubelet = newKubelet({
    client: api.client,
    runtime,
    clock: realClock,
    random: systemRandom,
    log: silentLogger,
    events: { event: (_, type, reason, message) => events.push(`${type} ${reason} ${message}`) },
    nodeName: 'n1',
    addresses: nodeAddresses('127.0.0.1', 'n1'),
    rootDirectory: join(root, 'kubelet'),
    server: { host: '127.0.0.1', port: 0, ...certificates.server, clientCa: certificates.ca },
    config: { apiServerAddress: { host: '127.0.0.1', port: 6443 } },
  });
  running = kubelet.run(stop.signal);
}

afterAll(async () => {
  stop.abort();
  await running;
  // Whatever failed above, no process stays.
  for (const { id = '' } of (await runtime.listPodSandbox({})).items ?? []) await runtime.stopPodSandbox({ podSandboxId: id });
  await runtime.close();
  await rm(root, { recursive: true, force: true });
});

const getPod = (name: string): Pod | undefined => api.get<Pod>('pods', name);

async function until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let attempts = 0; attempts < 2000; attempts += 1) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await realClock.sleep(10);
  }
  throw new Error(`did not come: ${what}`);
}

async function create(name: string, script: string, container: Partial<Container> = {}, spec: Partial<PodSpec> = {}): Promise<void> {
  const containers = [{ name: 'c', image: 'sh:1', args: [script], terminationMessagePath: '/dev/termination-log', ...container }];
  const full = { nodeName: 'n1', containers, restartPolicy: 'Never', terminationGracePeriodSeconds: 5, ...spec };
  await api.client.create(pods, { metadata: { name, namespace: 'default', labels: { app: name } }, spec: full as PodSpec });
}

async function remove(name: string): Promise<void> {
  await api.client.delete(pods, { namespace: 'default', name });
  await until('gone', () => getPod(name) === undefined);
}

const tls = (who: 'client' | 'stranger' | 'nobody' = 'client') => ({ ca: certificates.ca, ...(who === 'nobody' ? {} : certificates[who]) });

async function get(path: string, who: 'client' | 'stranger' | 'nobody' = 'client'): Promise<{ status: number; body: string }> {
  const sent = request({ host: '127.0.0.1', port: kubelet.port, path, ...tls(who), agent: false }).end();
  const [response] = await once(sent, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, body: Buffer.concat(chunks).toString() };
}

const phase = (name: string, wanted: string) => until(`${name} ${wanted}`, () => getPod(name)?.status?.phase === wanted);
const started = (name: string) => phase(name, 'Running');

function connect(path: string, protocol: string): Promise<WebSocket> {
  const url = `wss://127.0.0.1:${kubelet.port}${path}`;
  // The tunnel's name is no token, and the library takes none that is not.
  const headers = { 'sec-websocket-protocol': protocol };
  const finishRequest = (sent: ClientRequest): void => {
    sent.prependListener('upgrade', (response) => {
      expect(response.headers['sec-websocket-protocol']).toBe(protocol);
      delete response.headers['sec-websocket-protocol'];
    });
    sent.end();
  };
  const socket = protocol.includes('/') ? new WebSocket(url, { ...tls(), headers, finishRequest }) : new WebSocket(url, protocol, tls());
  return new Promise((resolve, reject) => socket.once('open', () => resolve(socket)).once('error', reject));
}

/** A directory of the test that a pod sees as `/orrery-test/shared`. */
async function shared(name: string) {
  await mkdir(join(root, name));
  return {
    volumes: [{ name: 's', hostPath: { path: join(root, name), type: 'Directory' } }],
    volumeMounts: [{ name: 's', mountPath: '/orrery-test/shared' }],
  };
}

/** All that came, by channel, once the server has closed. */
async function collect(socket: WebSocket): Promise<ReadonlyMap<number, string>> {
  const channels = new Map<number, string>();
  socket.on('message', (message: Buffer) => {
    channels.set(message[0] ?? 0, (channels.get(message[0] ?? 0) ?? '') + message.toString('utf8', 1));
  });
  await once(socket, 'close');
  return channels;
}

describe('a pod of real processes', () => {
  test('prints, fails, and tells why', async () => {
    await create('says', 'echo one; echo err >&2; echo two; echo "for the record" > /dev/termination-log; exit 3');
    await phase('says', 'Failed');
    const terminated = getPod('says')?.status?.containerStatuses?.[0]?.state?.terminated;
    expect(terminated).toMatchObject({ exitCode: 3, reason: 'Error', message: 'for the record\n' });
    expect(await get('/containerLogs/default/says/c?stream=Stdout')).toEqual({ status: 200, body: 'one\ntwo\n' });
    expect((await get('/containerLogs/default/says/c?stream=Stderr&timestamps=true')).body).toMatch(/^\d{4}-\d\d-\d\dT\S+Z err\n$/);
    expect((await get('/containerLogs/default/says/c?tailLines=0')).body).toBe('');
    expect((await get('/containerLogs/default/says/nope')).status).toBe(404);
    expect(await get('/containerLogs/default/says/c?previous=true')).toEqual({
      status: 400,
      body: 'previous terminated container "c" in pod "says" not found\n',
    });
  });

  test('is shown to the API server alone', async () => {
    expect((await get('/pods', 'stranger')).status).toBe(403);
    expect(JSON.parse((await get('/pods')).body).kind).toBe('PodList');
    expect(await get('/pods', 'nobody')).toEqual({ status: 401, body: 'Unauthorized\n' });
    expect(await get('/healthz')).toEqual({ status: 200, body: 'ok' });
    expect(JSON.parse((await get('/configz')).body).kubeletconfig).toMatchObject({ kind: 'KubeletConfiguration', maxPods: 110 });
    expect(await get('/logs/')).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^<pre>\n(<a href="[^"]+">.*<\/a>\n)+<\/pre>\n$/),
    });
    expect((await get('/logs/%2e%2e/%2e%2e/etc/passwd')).status).toBe(404);
    expect((await get('/logs/..%2f..%2fetc%2fpasswd')).status).toBe(404);
    expect((await get('/metrics/probes')).status).toBe(200);
    expect(JSON.parse((await get('/stats/summary')).body).node.nodeName).toBe('n1');
    expect((await get('/metrics/resource')).body).toMatch(/^node_memory_working_set_bytes \d+$/m);
  });

  test('has its environment, its volumes, and sees them change', async () => {
    await api.client.create(configMaps, { metadata: { name: 'cm', namespace: 'default' }, data: { key: 'first' } } as never);
    const env = [
      { name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: 'B', value: '$(A)-$$(A)-$(NOPE)' },
    ];
    const volumeMounts = [{ name: 'v', mountPath: '/orrery-test/v' }];
    const volumes = [{ name: 'v', configMap: { name: 'cm' } }];
    const script = 'echo "$A $B $KUBERNETES_SERVICE_PORT"; while :; do cat /orrery-test/v/key; echo; sleep 0.05; done';
    await create('vol', script, { env, volumeMounts }, { volumes });
    await started('vol');
    await until('first', async () => (await get('/containerLogs/default/vol/c?tailLines=3')).body.includes('first'));
    expect((await get('/containerLogs/default/vol/c')).body.split('\n')[0]).toBe('vol vol-$(A)-$(NOPE) 6443');
    const held = api.get('configmaps', 'cm');
    await api.client.update(configMaps, { ...held, data: { key: 'second' } } as never);
    await until('second', async () => (await get('/containerLogs/default/vol/c?tailLines=3')).body.includes('second'));
    await remove('vol');
  });

  test('is not ready before its readiness probe succeeds', async () => {
    const { volumes, volumeMounts } = await shared('ready');
    const readinessProbe = { exec: { command: ['/bin/sh', '-c', 'test -e /orrery-test/shared/flag'] }, periodSeconds: 1 };
    await create('probed', 'sleep 1000', { readinessProbe, volumeMounts }, { volumes });
    await started('probed');
    await until('unhealthy', () => events.some((event) => event.startsWith('Warning Unhealthy Readiness probe failed')));
    expect(getPod('probed')?.status?.containerStatuses?.[0]?.ready).toBe(false);
    await writeFile(join(root, 'ready', 'flag'), '');
    await until('ready', () => getPod('probed')?.status?.containerStatuses?.[0]?.ready === true);
    await remove('probed');
  });

  test('runs its preStop hook before the signal, within the grace period', async () => {
    const { volumes, volumeMounts } = await shared('trace');
    const trace = '/orrery-test/shared/trace';
    const lifecycle = { preStop: { exec: { command: ['/bin/sh', '-c', `echo hook >> ${trace}`] } } };
    await create(
      'stops',
      `trap "echo term >> ${trace}; exit 0" TERM; while :; do sleep 0.05; done`,
      { lifecycle, volumeMounts },
      { volumes },
    );
    await started('stops');
    await remove('stops');
    expect(await readFile(join(root, 'trace', 'trace'), 'utf8')).toBe('hook\nterm\n');
  });

  test('is restarted when its liveness probe fails', async () => {
    const livenessProbe = { exec: { command: ['/bin/false'] }, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 1 };
    await create('dies', 'sleep 1000', { livenessProbe }, { restartPolicy: 'Always' });
    await until('restarted', () => (getPod('dies')?.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0);
    expect(events).toContain('Normal Killing Container c failed liveness probe, will be restarted');
    expect(getPod('dies')?.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(143);
    await remove('dies');
  });

  test('ends its sidecars after its main container, the last one first', async () => {
    const { volumes, volumeMounts } = await shared('order');
    const says = (name: string): string =>
      `trap "echo ${name} >> /orrery-test/shared/order; exit 0" TERM; echo > /orrery-test/shared/trap-${name}; while :; do sleep 0.02; done`;
    const sidecar = (name: string): Container => ({ name, image: 'sh:1', args: [says(name)], volumeMounts, restartPolicy: 'Always' });
    await create('sides', says('main'), { volumeMounts }, { volumes, initContainers: [sidecar('s1'), sidecar('s2')] });
    await started('sides');
    await until('all have set their traps', () => ['main', 's1', 's2'].every((name) => existsSync(join(root, 'order', `trap-${name}`))));
    await remove('sides');
    expect(await readFile(join(root, 'order', 'order'), 'utf8')).toBe('main\ns2\ns1\n');
  });

  test('is killed sooner when it is deleted again with less grace', async () => {
    await create('stubborn', 'trap "" TERM; while :; do sleep 0.05; done', {}, { terminationGracePeriodSeconds: 600 });
    await started('stubborn');
    const key = { namespace: 'default', name: 'stubborn' };
    await api.client.delete(pods, key);
    await until('stopping', () => events.filter((event) => event === 'Normal Killing Stopping container c').length > 0);
    await api.client.delete(pods, key, { gracePeriodSeconds: 1 });
    await until('gone', () => getPod('stubborn') === undefined);
  });

  test('that asks for what the runtime cannot do says so', async () => {
    await create('wants', 'true', {}, { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] } });
    await until('told', () => events.some((event) => /^Warning FailedCreatePodSandBox .*cannot set sysctls.*install/.test(event)));
    expect(getPod('wants')?.status?.phase ?? 'Pending').toBe('Pending');
    await remove('wants');
  });

  test('can be entered: output, input, exit code', async () => {
    await create('exec', 'sleep 1000');
    await started('exec');
    const query = (script: string) => `command=${encodeURIComponent('/bin/sh')}&command=-c&command=${encodeURIComponent(script)}`;
    const socket = await connect(
      `/exec/default/exec/c?${query('cat; echo err >&2; exit 7')}&stdin=1&stdout=1&stderr=1`,
      'v5.channel.k8s.io',
    );
    const all = collect(socket);
    socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('hello')]));
    socket.send(Buffer.from([255, 0]));
    const channels = await all;
    expect(channels.get(1)).toBe('hello');
    expect(channels.get(2)).toBe('err\n');
    expect(JSON.parse(channels.get(3) ?? '')).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '7' }] },
    });
    const good = await collect(await connect(`/exec/default/exec/c?${query('true')}&stdout=1`, 'v4.channel.k8s.io'));
    expect(JSON.parse(good.get(3) ?? '')).toMatchObject({ status: 'Success' });
    await remove('exec');
  });

  test('can be entered in the base64 protocol, and forwarded in the channel protocol', async () => {
    const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const { port } = echo.address() as { port: number };
    await create('old', 'sleep 1000', {}, { hostNetwork: true });
    await started('old');
    const texts: string[] = [];
    const exec = await connect('/exec/default/old/c?command=echo&command=hello&stdout=1', 'base64.channel.k8s.io');
    exec.on('message', (message) => texts.push(String(message)));
    await once(exec, 'close');
    expect(texts.join('|')).toBe(`1|1${Buffer.from('hello\n').toString('base64')}`);

    const forward = await connect(`/portForward/default/old?ports=${port}`, 'v4.channel.k8s.io');
    const messages: Buffer[] = [];
    forward.on('message', (message: Buffer) => messages.push(message));
    forward.send(Buffer.concat([Buffer.from([0]), Buffer.from('ping')]));
    await until('echoed', () => messages.some((message) => message.toString('utf8', 1) === 'ping'));
    const head = Buffer.alloc(2);
    head.writeUInt16LE(port);
    expect(messages.slice(0, 2).map((message) => [message[0], message.subarray(1).equals(head)])).toEqual([
      [0, true],
      [1, true],
    ]);
    forward.terminate();
    echo.close();
    await remove('old');
  });

  test('follows a log to its end', async () => {
    await create('follow', 'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done');
    await until(
      'started',
      () => getPod('follow')?.status?.containerStatuses?.[0]?.state?.waiting === undefined && getPod('follow')?.status?.phase !== undefined,
    );
    expect((await get('/containerLogs/default/follow/c?follow=true')).body).toBe('1\n2\n3\n4\n5\n');
  });

  test('forwards a port through the tunnel, many bytes both ways', async () => {
    const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const port = String((echo.address() as { port: number }).port);
    await create('ports', 'sleep 1000', {}, { hostNetwork: true });
    await started('ports');
    const socket = await connect('/portForward/default/ports', 'SPDY/3.1+portforward.k8s.io');
    const tunnel = createWebSocketStream(socket);
    const codec = newHeaderCodec();
    const open = async (id: number, streamtype: string): Promise<void> => {
      const headers = await codec.encode(
        new Map([
          ['streamtype', streamtype],
          ['port', port],
          ['requestid', '0'],
        ]),
      );
      tunnel.write(controlFrame(frameTypes.synStream, 0, Buffer.concat([uint32(id, 0), Buffer.from([0, 0]), headers])));
    };
    await open(1, 'error');
    tunnel.write(dataFrameHead(1, FLAG_FIN, 0));
    await open(3, 'data');
    const size = 20 * 1024 * 1024;
    const payload = Buffer.alloc(size);
    for (let at = 0; at < size; at += 4) payload.writeUInt32BE(at, at);
    const write = async (): Promise<void> => {
      for (let at = 0; at < size; at += 65536) {
        const part = payload.subarray(at, at + 65536);
        tunnel.write(dataFrameHead(3, 0, part.length));
        if (!tunnel.write(part)) await once(tunnel, 'drain');
      }
      tunnel.write(dataFrameHead(3, FLAG_FIN, 0));
    };
    const writing = write();
    const split = newFrameSplitter();
    const received: Buffer[] = [];
    const ended = new Set<number>();
    for await (const chunk of tunnel) {
      for (const frame of split(chunk as Buffer)) {
        if (frame.kind !== 'data') continue;
        expect(frame.streamId === 1 && frame.payload.length > 0 ? frame.payload.toString() : '').toBe('');
        if (frame.streamId === 3 && frame.payload.length > 0) received.push(Buffer.from(frame.payload));
        if ((frame.flags & FLAG_FIN) !== 0) ended.add(frame.streamId);
      }
      if (ended.size === 2) break;
    }
    await writing;
    expect(Buffer.concat(received).equals(payload)).toBe(true);
    socket.terminate();
    codec.close();
    echo.close();
    await remove('ports');
  });

  test('is adopted by the next kubelet: same process, same log, still ready', async () => {
    const readinessProbe = { exec: { command: ['/bin/true'] }, periodSeconds: 1 };
    await create('stays', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done', { readinessProbe });
    await until('ready', () => getPod('stays')?.status?.containerStatuses?.[0]?.ready === true);
    const before = getPod('stays')?.status?.containerStatuses?.[0];
    const writes = api.calls.get('patch pods/status');
    stop.abort();
    await running;
    startKubelet();
    await until('serving', () => kubelet.port !== 0);
    const lines = await until('its log', async () => {
      const { status, body } = await get('/containerLogs/default/stays/c').catch(() => ({ status: 0, body: '' }));
      return status === 200 && body.trim().split('\n').map(Number);
    });
    expect(lines).toEqual(lines.map((_, index) => index + 1));
    await realClock.sleep(300);
    expect(getPod('stays')?.status?.containerStatuses?.[0]).toEqual(before);
    expect(api.calls.get('patch pods/status')).toBe(writes);
    await remove('stays');
  });
});

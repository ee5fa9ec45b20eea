import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import type { Container, Pod, PodStatus, Probe } from '@orrery/api/core/v1';
import { newSeededRandom, newVirtualClock, realClock, type VirtualClock } from '@orrery/base';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newHollowRuntime } from '../hollow/hollow-runtime.ts';
import { newProbeSet, type ProbeSet } from './probe-set.ts';
import { newProber, type ProbeAnswer } from './prober.ts';

const makePod = (container: Partial<Container>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'd', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
  spec: { containers: [{ name: 'c', image: 'i', ...container }], restartPolicy: 'Always' },
  status: {},
});

describe('newProbeSet', () => {
  let clock: VirtualClock;
  let answers: ProbeAnswer['result'][]; // The last one repeats.
  let probesMs: number[];
  let told: string[];
  let changes: number;
  let probes: ProbeSet;

  beforeEach(() => {
    clock = newVirtualClock();
    answers = ['success'];
    probesMs = [];
    told = [];
    changes = 0;
    const prober = {
      async probe(): Promise<ProbeAnswer> {
        probesMs.push(clock.monotonicMs());
        return { result: (answers.length > 1 ? answers.shift() : answers[0]) ?? 'success', output: 'said' };
      },
    };
    const events = { event: (_: object, type: string, reason: string, message: string) => void told.push(`${type} ${reason} ${message}`) };
    probes = newProbeSet({ clock, random: newSeededRandom(1), events, prober, onChange: () => (changes += 1) });
  });

  const statusOf = (id: string, started: boolean): PodStatus => ({
    podIP: '10.0.0.1',
    containerStatuses: [
      {
        name: 'c',
        containerID: `x://${id}`,
        state: { running: { startedAt: new Date(clock.now()).toISOString() } },
        started,
        ready: false,
        restartCount: 0,
        image: '',
        imageID: '',
      },
    ],
  });

  function begin(container: Partial<Container>, started = true): Pod {
    const pod = makePod(container);
    probes.add(pod);
    probes.observe(pod, statusOf('one', started));
    return pod;
  }

  test('without probes a container is started and ready', () => {
    begin({});
    expect(probes.readiness('u', 'c', 'one')).toEqual({ started: true, ready: true });
  });

  test('readiness waits for its delay, its successes and its failures', async () => {
    answers = ['success', 'success', 'failure', 'failure', 'failure'];
    begin({ readinessProbe: { initialDelaySeconds: 5, periodSeconds: 2, successThreshold: 2, failureThreshold: 3 } });
    expect(probes.readiness('u', 'c', 'one').ready).toBe(false);
    await clock.advance(4900);
    expect(probesMs).toEqual([]);
    await clock.advance(200);
    expect(probesMs.length).toBe(1);
    expect(probes.readiness('u', 'c', 'one').ready).toBe(false);
    await clock.advance(2000);
    expect(probes.readiness('u', 'c', 'one').ready).toBe(true);
    await clock.advance(4000);
    expect(probes.readiness('u', 'c', 'one').ready).toBe(true);
    await clock.advance(2000);
    expect(probes.readiness('u', 'c', 'one').ready).toBe(false);
    expect(told).toEqual(Array(3).fill('Warning Unhealthy Readiness probe failed: said'));
    expect(changes).toBe(2);
  });

  test('liveness fails once, then waits for the next container', async () => {
    answers = ['failure'];
    const pod = begin({ livenessProbe: { periodSeconds: 1, failureThreshold: 2 } });
    await clock.advance(3500);
    expect(probes.liveness('one')).toBe('failure');
    expect(probesMs.length).toBe(2);
    answers = ['success'];
    probes.observe(pod, statusOf('two', true));
    await clock.advance(1000);
    expect(probes.liveness('two')).toBe('success');
    expect(probesMs.length).toBeGreaterThan(2);
  });

  test('startup holds the others back', async () => {
    answers = ['failure', 'success'];
    const pod = begin({ startupProbe: { periodSeconds: 1 }, readinessProbe: { periodSeconds: 1 } }, false);
    await clock.advance(500);
    expect(probesMs.length).toBe(1); // The startup probe's.
    expect(probes.readiness('u', 'c', 'one')).toEqual({ started: false, ready: false });
    await clock.advance(1000);
    expect(probes.readiness('u', 'c', 'one').started).toBe(true);
    probes.observe(pod, statusOf('one', true));
    await clock.advance(1);
    expect(probes.readiness('u', 'c', 'one')).toEqual({ started: true, ready: true });
  });

  test('a probe that cannot be made is tried three times and changes nothing', async () => {
    answers = ['error'];
    begin({ livenessProbe: { periodSeconds: 10 } });
    await clock.advance(100);
    expect(probesMs.length).toBe(3);
    expect(probes.liveness('one')).toBe('success');
    expect(told[0]).toBe('Warning Unhealthy Liveness probe errored and resulted in unknown state: said');
  });

  test('nothing is left behind', async () => {
    begin({ livenessProbe: {}, readinessProbe: {}, startupProbe: {} });
    await clock.advance(100);
    probes.remove('u');
    await clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('newProber', () => {
  const prober = newProber(newHollowRuntime({ clock: realClock }), realClock);
  const http = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/fine' });
    else if (request.url === '/away') response.writeHead(302, { location: 'http://example.invalid/' });
    else if (request.url === '/slow') return;
    else response.writeHead(request.url === '/fine' && request.headers['x-test'] === 'yes' ? 200 : 500);
    response.end('body');
  });
  const tcp = createTcpServer((socket) => socket.end());
  let ports = { http: 0, tcp: 0, closed: 0 };
  beforeAll(async () => {
    const listen = (server: { listen(port: number, host: string, done: () => void): unknown; address(): unknown }): Promise<number> =>
      new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
    const closed = createTcpServer();
    ports = { http: await listen(http), tcp: await listen(tcp), closed: await listen(closed) };
    await new Promise((resolve) => closed.close(resolve));
  });
  afterAll(() => {
    http.closeAllConnections();
    http.close();
    tcp.close();
  });

  const ask = (probe: Probe) => {
    const container: Container = { name: 'c', ports: [{ name: 'web', containerPort: ports.http }] };
    const target = { pod: makePod({}), container, containerId: 'x', podIp: '127.0.0.1' };
    return prober.probe(probe, target, new AbortController().signal);
  };
  const get = (path: string, timeoutSeconds = 5): Probe => ({
    httpGet: { path, port: 'web', httpHeaders: [{ name: 'X-Test', value: 'yes' }] },
    timeoutSeconds,
  });

  test('http', async () => {
    expect(await ask(get('/fine'))).toEqual({ result: 'success', output: 'body' });
    expect(await ask(get('/moved'))).toEqual({ result: 'success', output: 'body' });
    expect((await ask(get('/away'))).result).toBe('warning');
    expect(await ask(get('/bad'))).toEqual({ result: 'failure', output: 'HTTP probe failed with statuscode: 500' });
    expect(await ask(get('/slow', 0.2))).toEqual({
      result: 'failure',
      output: `Get "http://127.0.0.1:${ports.http}/slow": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    });
  });
  test('tcp', async () => {
    expect(await ask({ tcpSocket: { port: ports.tcp } })).toEqual({ result: 'success', output: '' });
    expect(await ask({ tcpSocket: { port: ports.closed } })).toEqual({
      result: 'failure',
      output: `dial tcp 127.0.0.1:${ports.closed}: connect: connection refused`,
    });
  });
  test('grpc', async () => {
    const grpc = await import('@grpc/grpc-js');
    const server = new grpc.Server();
    const definition = {
      check: {
        path: '/grpc.health.v1.Health/Check',
        requestStream: false,
        responseStream: false,
        requestSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => bytes,
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    };
    server.addService(definition, {
      check: (call: { request: Buffer }, done: (err: null, answer: Buffer) => void) =>
        done(null, Buffer.from([0x08, call.request.toString('utf8', 2) === 'well' ? 1 : 2])),
    });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (err, bound) =>
        err === null ? resolve(bound) : reject(err),
      ),
    );
    expect(await ask({ grpc: { port, service: 'well' } })).toEqual({ result: 'success', output: 'service healthy' });
    expect(await ask({ grpc: { port, service: 'ill' } })).toEqual({
      result: 'failure',
      output: 'service unhealthy (responded with "NOT_SERVING")',
    });
    server.forceShutdown();
  });
  test('exec that the runtime refuses says nothing of the container', async () =>
    expect(await ask({ exec: { command: ['true'] } })).toEqual({ result: 'error', output: 'a hollow node runs nothing' }));
  test('a port that has no name', async () =>
    expect(await ask({ httpGet: { port: 'none' } })).toEqual({ result: 'error', output: "couldn't find port: none in container ports" }));
});

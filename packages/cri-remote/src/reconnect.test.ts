import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { realClock } from '@orrery/base';
import { isRuntimeError, type RuntimeErrorCode } from '@orrery/cri';
import { expect, test } from 'vitest';
import { openRemoteRuntime } from './remote-runtime.ts';
import { decodeMessage } from './wire/decode.ts';
import { encodeMessage } from './wire/encode.ts';
import { newPlanner } from './wire/plan.ts';
import { criTable } from './wire/table.ts';

type Answer = (request: object) => object | grpc.status | 'silence';

/** A CRI server that answers what it is told to, and `UNIMPLEMENTED` to the rest. Numbers are gRPC status codes. */
async function serve(socket: string, answers: Readonly<Record<string, Answer>>): Promise<grpc.Server> {
  const planner = newPlanner(criTable());
  const server = new grpc.Server();
  for (const [name, answer] of Object.entries(answers)) {
    const [request = '', response = ''] = criTable().services['RuntimeService']?.[name] ?? [];
    const path = `/runtime.v1.RuntimeService/${name}`;
    const definition = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: (value: object) => encodeMessage(planner.plan(request), value),
      requestDeserialize: (bytes: Buffer) => decodeMessage(planner.plan(request), bytes),
      responseSerialize: (value: object) => encodeMessage(planner.plan(response), value),
      responseDeserialize: (bytes: Buffer) => decodeMessage(planner.plan(response), bytes),
    } as const;
    const handler: grpc.handleUnaryCall<object, object> = (call, done) => {
      const said = answer(call.request);
      if (said === 'silence') return;
      if (typeof said === 'number') done({ code: said, details: `said ${said}` });
      else if (typeof said === 'object') done(null, said);
    };
    server.addService({ [name]: definition }, { [name]: handler });
  }
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix://${socket}`, grpc.ServerCredentials.createInsecure(), (err) => (err === null ? resolve() : reject(err))),
  );
  return server;
}

const basic: Readonly<Record<string, Answer>> = {
  Version: () => ({ runtimeName: 'test' }),
  Status: () => ({ status: { conditions: [{ type: 'NetworkReady', status: false, message: 'no network yet' }] } }),
};

async function inDirectory(body: (socket: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'orrery-remote-'));
  try {
    await body(join(directory, 'cri.sock'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const codeOf = (pending: Promise<unknown>): Promise<RuntimeErrorCode | 'none'> =>
  pending.then(
    () => 'none' as const,
    (err: unknown) => (isRuntimeError(err) ? err.code : Promise.reject(err)),
  );

test('when the socket goes away calls fail, and succeed once it is back', () =>
  inDirectory(async (socket) => {
    const first = await serve(socket, basic);
    const runtime = await openRemoteRuntime({ endpoint: socket, clock: realClock });
    expect(runtime.notes).toEqual(['the runtime says NetworkReady is false: no network yet']);
    first.forceShutdown();
    expect(await codeOf(runtime.version({}))).toBe('UNAVAILABLE');
    if (existsSync(socket)) await rm(socket);
    const second = await serve(socket, basic);
    while ((await codeOf(runtime.version({}))) !== 'none') await realClock.sleep(20);
    await runtime.close();
    second.forceShutdown();
  }));

test('errors keep their code and words; unknown calls are UNIMPLEMENTED; an abort is an abort', () =>
  inDirectory(async (socket) => {
    const server = await serve(socket, {
      ...basic,
      ContainerStatus: () => grpc.status.NOT_FOUND,
      StopContainer: () => grpc.status.NOT_FOUND,
      ListContainers: () => 'silence',
    });
    const runtime = await openRemoteRuntime({ endpoint: `unix://${socket}`, clock: realClock });
    await expect(runtime.containerStatus({ containerId: 'x' })).rejects.toThrow('said 5');
    expect(await codeOf(runtime.containerStatus({ containerId: 'x' }))).toBe('NOT_FOUND');
    expect(await runtime.stopContainer({ containerId: 'x' })).toEqual({});
    expect(await codeOf(runtime.listPodSandbox({}))).toBe('UNIMPLEMENTED');
    const events = runtime.getContainerEvents({})[Symbol.asyncIterator]();
    expect(await codeOf(events.next())).toBe('UNIMPLEMENTED');
    const abort = new AbortController();
    const pending = runtime.listContainers({}, abort.signal);
    abort.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
    await runtime.close();
    server.forceShutdown();
  }));

test('a socket where nobody answers, and a server that speaks no CRI v1, are told apart', () =>
  inDirectory(async (socket) => {
    expect(await codeOf(openRemoteRuntime({ endpoint: socket, clock: realClock, connectTimeoutMs: 100 }))).toBe('UNAVAILABLE');
    const server = await serve(socket, {});
    expect(await codeOf(openRemoteRuntime({ endpoint: socket, clock: realClock }))).toBe('FAILED_PRECONDITION');
    server.forceShutdown();
  }));

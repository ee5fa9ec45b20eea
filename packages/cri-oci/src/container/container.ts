import { access, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { abortable, type Clock, deferred, timeoutSignal } from '@orrery/base';
import { type ContainerState, type LinuxContainerResources, RuntimeError } from '@orrery/cri';
import { isInCgroupOf, signalProcess } from '../host/cgroups.ts';
import type { Helper } from '../host/helper.ts';
import type { Host } from '../host/host.ts';
import type { ContainerRecord, Records } from '../records.ts';
import { startFailure } from './failure.ts';
import { launch } from './launch.ts';
import { signalNumber } from './signals.ts';

export interface Exit {
  readonly code: number;
  readonly finishedAtMs: number;
  /** As CRI spells it: Completed, Error, OOMKilled, StartError, Unknown. */
  readonly reason: string;
}

export interface ContainerDeps {
  readonly records: Records<ContainerRecord>;
  readonly host: Host;
  readonly helper: Helper;
  readonly clock: Clock;
  readonly stateDirectory: string;
  readonly sealedRuntime: string | undefined;
  readonly exitsDirectory: string;
  /** After every change of state. */
  readonly onChange: (container: Container) => void;
}

/** One container and its monitor. States only go forward: created, running, exited. */
export interface Container {
  readonly record: ContainerRecord;
  readonly state: ContainerState;
  readonly exit: Exit | undefined;
  /** Its first process, as the host counts; undefined unless it runs. */
  readonly pid: number | undefined;
  readonly directory: string;
  /** Resolves when the container has ended and its output stands in the log. */
  readonly exited: Promise<Exit>;
  start(): Promise<void>;
  /** Finds out what became of a container that an earlier agent made. */
  adopt(): Promise<void>;
  /** Its exit code may have been written. */
  noticeExit(): Promise<void>;
  /** Its monitor may have died without writing one. */
  check(): Promise<void>;
  /** Sends `signal`, after `timeoutMs` kills everything that belongs to the container. Idempotent. */
  stop(timeoutMs: number): Promise<void>;
  putResources(resources: LinuxContainerResources): Promise<void>;
  /** Ends it, and frees its control group and what the runtime knows of it. Its record stays. */
  release(): Promise<void>;
}

const KILL_TIMEOUT_MS = 10_000;
const ADOPT_TIMEOUT_MS = 10_000;
const ADOPT_POLL_MS = 10;
const START_ERROR_CODE = 128; // As containerd has it for a container that never ran.
const UNKNOWN_CODE = 255; // As containerd has it for an end that nobody saw.

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
const readPid = async (path: string): Promise<number> => Number((await readFile(path, 'utf8').catch(() => '0')).trim());
const isAlive = (pid: number): boolean => pid > 0 && signalProcess(pid, 0);

export function newContainer(initial: ContainerRecord, deps: ContainerDeps): Container {
  const { records, host, helper, clock, stateDirectory, sealedRuntime, exitsDirectory, onChange } = deps;
  const { id, cgroupPath } = initial;
  const directory = records.directory(id);
  const exitFile = join(exitsDirectory, id);
  const exited = deferred<Exit>();
  let record = initial; // Replaced whole on change, on disk first.
  let pid: number | undefined;
  let exit: Exit | undefined;
  let settling: Promise<void> | undefined; // Set once: an end is told once.

  const put = async (change: Partial<ContainerRecord>): Promise<void> => {
    const next = { ...record, ...change };
    await records.write(next);
    record = next;
  };

  /** Read before the control group goes: the monitor tells of most out-of-memory kills, the kernel of all. */
  const wasOutOfMemory = async (): Promise<boolean> => {
    if (await exists(join(directory, 'oom'))) return true;
    const { version } = host.cgroups.abilities;
    const file = version === 2 ? 'memory.events' : 'memory.oom_control';
    const text = await readFile(host.cgroups.file(cgroupPath, 'memory', file), 'utf8').catch(() => '');
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0) > 0;
  };

  const freeCgroup = async (): Promise<void> => {
    if (!host.limits) return;
    await host.cgroups.kill(cgroupPath); // What outlives the first process of a container that shares its process ids.
    await host.cgroups.remove(cgroupPath);
  };

  const settle = (code: number, finishedAtMs: number, reason?: string): Promise<void> => {
    settling ??= (async () => {
      const why = reason ?? ((await wasOutOfMemory()) && code !== 0 ? 'OOMKilled' : code === 0 ? 'Completed' : 'Error');
      exit = { code, finishedAtMs, reason: why };
      pid = undefined;
      exited.resolve(exit);
      onChange(self);
      await freeCgroup();
      await rm(join(stateDirectory, id), { recursive: true, force: true });
    })();
    return settling;
  };

  const readExit = async (): Promise<{ code: number; finishedAtMs: number } | undefined> => {
    const text = await readFile(exitFile, 'utf8').catch(() => '');
    if (!/^\d+\s*$/.test(text)) return undefined;
    return { code: Number(text), finishedAtMs: Math.floor((await stat(exitFile)).mtimeMs) };
  };

  const noticeExit = async (): Promise<void> => {
    if (pid === undefined || exit !== undefined) return;
    const found = await readExit();
    if (found !== undefined) void settle(found.code, found.finishedAtMs);
  };

  const monitorIsAlive = async (): Promise<boolean> => {
    const monitor = await readPid(join(directory, 'monitor-pid'));
    if (!isAlive(monitor)) return false;
    return (await readFile(`/proc/${monitor}/cmdline`, 'utf8').catch(() => '')).includes(id);
  };

  const signalAll = async (): Promise<void> => {
    if (pid !== undefined) signalProcess(pid, 9);
    if (host.limits) await host.cgroups.kill(cgroupPath);
  };

  const adopt = async (): Promise<void> => {
    if (record.startError !== undefined) return settle(START_ERROR_CODE, record.startedAtMs, 'StartError');
    if (record.startedAtMs === 0) return;
    const deadline = clock.monotonicMs() + ADOPT_TIMEOUT_MS;
    for (;;) {
      const monitored = await monitorIsAlive();
      const found = await readExit();
      if (found !== undefined) return settle(found.code, found.finishedAtMs);
      const first = await readPid(join(directory, 'pid'));
      const runs = isAlive(first) && (!host.limits || isInCgroupOf(first, id));
      if (runs) {
        pid = first;
        if (!monitored) await check(); // It runs, but nobody will ever see its end.
        return;
      }
      if (!monitored && first > 0) return settle(UNKNOWN_CODE, clock.now(), 'Unknown');
      // Between the first spawn and the pid file: the monitor says when it is over. Without one the start never got that far.
      if (!monitored || clock.monotonicMs() > deadline) {
        await signalAll();
        return settle(START_ERROR_CODE, clock.now(), 'StartError');
      }
      await clock.sleep(ADOPT_POLL_MS);
    }
  };

  const check = async (): Promise<void> => {
    if (pid === undefined || exit !== undefined) return;
    await noticeExit();
    if (exit !== undefined || pid === undefined) return;
    const monitored = await monitorIsAlive();
    if (monitored && isAlive(pid)) return;
    await signalAll(); // Its output goes nowhere, or what it left behind keeps its output open.
    if (monitored) return;
    const found = await readExit();
    await (found === undefined ? settle(UNKNOWN_CODE, clock.now(), 'Unknown') : settle(found.code, found.finishedAtMs));
  };

  const start = async (): Promise<void> => {
    if (self.state !== 'CONTAINER_CREATED')
      throw new RuntimeError('FAILED_PRECONDITION', `container "${id}" is in state ${self.state} and cannot be started`);
    await put({ startedAtMs: clock.now() });
    const { config, logPath, mounts } = record;
    const { stdin = false, stdinOnce = false, tty: terminal = false } = config;
    const files = { directory, stateDirectory, sealedRuntime, exitsDirectory, logPath };
    const outcome = await launch({ id, host, helper, ...files, mounts, stdin, stdinOnce, terminal });
    if ('lost' in outcome) {
      await adopt();
      if (pid === undefined) throw new RuntimeError('UNAVAILABLE', `failed to start container "${id}": ${outcome.lost}`);
      return onChange(self);
    }
    if ('error' in outcome) {
      const spec = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8')) as { process: { args: readonly string[] } };
      const startError = startFailure(outcome.error, spec.process.args[0] ?? '');
      await put({ startError });
      await settle(START_ERROR_CODE, clock.now(), 'StartError');
      throw new RuntimeError('INVALID_ARGUMENT', `failed to start container "${id}": ${startError}`);
    }
    pid = outcome.pid;
    onChange(self);
    await noticeExit(); // What ended at once was told before anybody listened.
  };

  const stop = async (timeoutMs: number): Promise<void> => {
    if (pid === undefined || exit !== undefined) return;
    if (timeoutMs > 0) {
      signalProcess(pid, signalNumber(record.stopSignal));
      if (await endsWithin(timeoutMs)) return;
    }
    await signalAll();
    if (await endsWithin(KILL_TIMEOUT_MS)) return;
    await check();
    if (exit === undefined) throw new RuntimeError('DEADLINE_EXCEEDED', `container "${id}" does not end after SIGKILL`);
  };

  const endsWithin = async (timeoutMs: number): Promise<boolean> => {
    const limit = timeoutSignal(clock, timeoutMs);
    const ended = await abortable(exited.promise, limit.signal).then(
      () => true,
      () => false,
    );
    limit.dispose();
    return ended;
  };

  const self: Container = {
    get record() {
      return record;
    },
    get state() {
      return exit !== undefined ? 'CONTAINER_EXITED' : pid !== undefined ? 'CONTAINER_RUNNING' : 'CONTAINER_CREATED';
    },
    get exit() {
      return exit;
    },
    get pid() {
      return pid;
    },
    directory,
    exited: exited.promise,
    start,
    adopt,
    noticeExit,
    check,
    stop,
    putResources: (resources) => put({ resources }),
    async release() {
      await stop(0);
      await settling;
      await freeCgroup();
      await rm(join(stateDirectory, id), { recursive: true, force: true });
      await rm(exitFile, { force: true });
    },
  };
  return self;
}

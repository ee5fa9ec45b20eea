import { type FSWatcher, openSync, watch } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { type Clock, deferred } from '@orrery/base';
import { type ContainerState, RuntimeError } from '@orrery/cri';
import { type Program, privilegeArguments } from './command.ts';
import type { HostAbilities } from './host.ts';
import { launch } from './launch.ts';
import { type LogPump, newLogPump, recoverPositions, type StreamName } from './log-pump.ts';
import { killMarked, signalProcess, startTicks } from './process-table.ts';
import type { ContainerRecord, Records } from './records.ts';

export type OutputListener = (stream: StreamName, chunk: Buffer) => void;

export interface Exit {
  readonly code: number;
  readonly finishedAtMs: number;
}

export interface ContainerDeps {
  readonly records: Records<ContainerRecord>;
  readonly host: HostAbilities;
  readonly clock: Clock;
  /** After every change of state. */
  readonly onChange: (container: Container) => void;
}

/** One container: a supervised process and its output. States only go forward: created, running, exited. */
export interface Container {
  readonly record: ContainerRecord;
  readonly state: ContainerState;
  readonly exit: Exit | undefined;
  /** The command's process; undefined unless it runs. */
  readonly pid: number | undefined;
  readonly directory: string;
  /** Resolves when the command has ended and its output stands in the log. */
  readonly exited: Promise<Exit>;
  start(program: Program): Promise<void>;
  /** Takes up a container that an earlier agent started. */
  adopt(): Promise<void>;
  /** Sends `signal`, after `timeoutMs` kills everything that belongs to the container. Idempotent. */
  stop(signal: NodeJS.Signals, timeoutMs: number): Promise<void>;
  remove(): Promise<void>;
  reopenLog(): Promise<void>;
  /** @returns takes the listener away. */
  listen(listener: OutputListener): () => void;
  /** The writing end of its standard input; undefined when it has none. Closing it ends the input only with `stdinOnce`. */
  stdin(): Promise<Socket | undefined>;
  /** Stops watching; the command goes on. */
  detach(): Promise<void>;
}

const START_POLL_MS = 2;
const START_TIMEOUT_MS = 30_000;
const KILL_TIMEOUT_MS = 10_000;
const ADOPTED_POLL_MS = 500;
const KILLED_CODE = 137; // 128 + SIGKILL.

export function newContainer(initial: ContainerRecord, { records, host, clock, onChange }: ContainerDeps): Container {
  const directory = records.directory(initial.id);
  const file = (name: string): string => join(directory, name);
  const listeners = new Set<OutputListener>();
  const exited = deferred<Exit>();
  let record = initial;
  let exit: Exit | undefined;
  let pid: number | undefined;
  let watcher: FSWatcher | undefined;
  let pumps: readonly LogPump[] = [];
  let stdin: Socket | undefined;
  let finishing: Promise<void> | undefined;
  let detached = false;

  const update = async (change: Partial<ContainerRecord>): Promise<void> => {
    record = { ...record, ...change };
    await records.write(record);
  };

  const openPumps = async (): Promise<void> => {
    if (record.logPath !== undefined) await mkdir(dirname(record.logPath), { recursive: true, mode: 0o755 });
    const logged = record.logPath === undefined ? { stdout: 0, stderr: 0 } : await recoverPositions(record.logPath);
    pumps = (['stdout', 'stderr'] as const).map((stream) =>
      newLogPump({
        stream,
        rawPath: file(`${stream}.raw`),
        logPath: record.logPath,
        position: record.logBase[stream] + logged[stream],
        clock,
        onOutput: (chunk) => {
          for (const listener of listeners) listener(stream, chunk);
        },
      }),
    );
  };

  const pumpAll = async (): Promise<void> => {
    await Promise.all(pumps.map((pump) => pump.pump()));
  };

  /** Output and the end both show as changes of files in the container's folder: one watch sees them all. */
  const observe = (): void => {
    watcher = watch(directory, { persistent: false }, (_event, name) => {
      if (name === 'exit') void finish();
      else if (name?.endsWith('.raw') === true && finishing === undefined) void pumpAll().catch(() => undefined);
    });
    void pollEnd();
  };

  /** The watch may miss an end (a supervisor that was killed writes none): look now and then. */
  const pollEnd = async (): Promise<void> => {
    while (!detached && exit === undefined) {
      await new Promise<void>((resolve) => clock.after(ADOPTED_POLL_MS, resolve, { background: true }));
      if (detached || exit !== undefined) return;
      if ((await readExit()) !== undefined || !(await supervisorRuns())) await finish();
    }
  };

  const supervisorRuns = async (): Promise<boolean> => record.supervisorPid > 0 && (await startTicks(record.supervisorPid)) !== undefined;

  const readExit = async (): Promise<Exit | undefined> => {
    const text = await readFile(file('exit'), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    return { code: Number(text.trim()), finishedAtMs: (await stat(file('exit'))).mtimeMs };
  };

  const finish = (): Promise<void> => {
    if (detached) return Promise.resolve(); // The next agent sees to it.
    finishing ??= (async () => {
      // What the command left behind ends with it, as with the first process of a container.
      await killMarked(record.id);
      const found = (await readExit()) ?? { code: KILLED_CODE, finishedAtMs: clock.now() };
      for (const pump of pumps) await pump.finish();
      watcher?.close();
      stdin?.destroy();
      pid = undefined;
      exit = found;
      exited.resolve(found);
      onChange(container);
    })();
    return finishing;
  };

  /** Waits for the command to run; throws why it could not. */
  const awaitStart = async (): Promise<void> => {
    const deadlineMs = clock.monotonicMs() + START_TIMEOUT_MS;
    for (;;) {
      const text = await readFile(file('pid'), 'utf8').catch(() => undefined);
      // Made before the command has its own root, written after: who sees the number may enter.
      if (text !== undefined && text.trim() !== '') {
        pid = Number(text.trim());
        return;
      }
      if ((await readExit()) !== undefined || clock.monotonicMs() > deadlineMs) {
        const reason = (await readFile(file('setup.log'), 'utf8').catch(() => '')).trim();
        throw new RuntimeError('INTERNAL', `cannot set up the container's file system: ${reason === '' ? 'its supervisor ended' : reason}`);
      }
      await clock.sleep(START_POLL_MS);
    }
  };

  const container: Container = {
    get record() {
      return record;
    },
    get state() {
      if (exit !== undefined || record.startError !== undefined) return 'CONTAINER_EXITED';
      return record.startedAtMs > 0 ? 'CONTAINER_RUNNING' : 'CONTAINER_CREATED';
    },
    get exit() {
      return exit;
    },
    get pid() {
      return pid;
    },
    directory,
    exited: exited.promise,

    async start(program) {
      if (record.startedAtMs > 0) throw new RuntimeError('FAILED_PRECONDITION', `container ${record.id} was started before`);
      try {
        const privileges = privilegeArguments(record.config, host);
        const child = await launch({ directory, config: record.config, program, privileges, host });
        await update({ supervisorPid: child.pid ?? 0, startedAtMs: clock.now() });
        await openPumps();
        if (record.config.stdin === true) stdin = await openStdin();
        await awaitStart();
        child.once('exit', () => void finish());
        observe();
        await pumpAll();
        if ((await readExit()) !== undefined) await finish(); // It ended before anybody watched.
      } catch (err) {
        await killMarked(record.id);
        await update({ startError: err instanceof Error ? err.message : String(err), startedAtMs: clock.now() });
        exit = { code: 128, finishedAtMs: clock.now() };
        exited.resolve(exit);
        onChange(container);
        throw err;
      }
      if (exit === undefined) onChange(container);
    },

    async adopt() {
      if (record.startError !== undefined) exit = { code: 128, finishedAtMs: record.startedAtMs };
      if (record.startedAtMs === 0 || exit !== undefined) {
        if (exit !== undefined) exited.resolve(exit);
        return;
      }
      await openPumps();
      pid = Number((await readFile(file('pid'), 'utf8').catch(() => '0')).trim()) || undefined;
      if ((await readExit()) !== undefined || !(await supervisorRuns())) return finish();
      if (record.config.stdin === true && record.config.stdinOnce !== true) stdin = await openStdin();
      observe();
      await pumpAll();
    },

    async stop(signal, timeoutMs) {
      if (container.state !== 'CONTAINER_RUNNING') return;
      if (timeoutMs > 0 && pid !== undefined && signalProcess(pid, signal) && (await endsWithin(timeoutMs))) return;
      const deadlineMs = clock.monotonicMs() + KILL_TIMEOUT_MS;
      while (exit === undefined && clock.monotonicMs() < deadlineMs) {
        await killMarked(record.id); // Again and again: a fork bomb makes new ones meanwhile.
        if (await endsWithin(50)) return;
        if ((await readExit()) !== undefined || !(await supervisorRuns())) await finish();
      }
      if (exit === undefined) throw new RuntimeError('DEADLINE_EXCEEDED', `container ${record.id} does not end after SIGKILL`);
    },

    async remove() {
      await container.stop('SIGKILL', 0);
      await container.detach();
      await records.remove(record.id);
    },

    async reopenLog() {
      await pumpAll();
      const [stdout, stderr] = pumps.map(({ position }) => position);
      for (const pump of pumps) await pump.reopen();
      await update({ logBase: { stdout: stdout ?? 0, stderr: stderr ?? 0 } });
    },

    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    async stdin() {
      if (record.config.stdin !== true || exit !== undefined) return undefined;
      stdin = stdin === undefined || stdin.destroyed ? await openStdin() : stdin;
      return stdin;
    },

    async detach() {
      detached = true;
      watcher?.close();
      stdin?.destroy();
      if (exit === undefined) for (const pump of pumps) await pump.reopen(); // Copies what is there and closes the log.
    },
  };

  async function openStdin(): Promise<Socket> {
    // Read-write, so that opening does not wait for a reader. The socket closes it.
    const fd = openSync(file('stdin'), 'r+');
    const socket = new Socket({ fd, readable: false, writable: true });
    socket.on('error', () => undefined); // The container ended: its exit tells.
    return socket;
  }

  async function endsWithin(timeoutMs: number): Promise<boolean> {
    const waited = new AbortController();
    const timeout = clock.sleep(timeoutMs, waited.signal).then(
      () => false,
      () => false,
    );
    const ended = await Promise.race([exited.promise.then(() => true), timeout]);
    waited.abort();
    return ended;
  }

  return container;
}

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { deferred } from '@orrery/base';
import { readAssets } from '../code/assets.ts';
import { bundleProgram } from '../code/bundle.ts';
import { packCode } from '../code/pack.ts';
import { newPortForward, type PortForward } from '../forward/forward-ports.ts';
import { splitByWeight } from '../options/names.ts';
import { LaunchProblem, type PortSetting, type Settings, UsageProblem } from '../options/settings.ts';
import { isStreamed, type Payload } from '../plan/payload.ts';
import { manifestOf, type Plan, planRun, rootOf } from '../plan/plan.ts';
import { nodeBootstrap } from '../pod/bootstrap-node.ts';
import { type ClusterRun, startClusterRun } from './cluster-run.ts';
import type { Connection } from './connect.ts';
import { forwardDebugger } from './debugger.ts';
import type { LaunchIo } from './launch-io.ts';
import { type Narrator, newNarrator } from './narrator.ts';
import { checkPermissions, permissionsFor } from './permissions.ts';
import { type Reached, reachAll } from './reach.ts';
import { showDashboard } from './show.ts';
import { watchFiles } from './watch-files.ts';

/** The program that is to run. */
export interface Program {
  /** Absolute path of the file that starts it. */
  readonly entry: string;
  /** Folder of its package. */
  readonly root: string;
  /** As the user calls it, for others to read. */
  readonly command: string;
  /** Of the Node that runs it: what the image must have. */
  readonly nodeMajor: number;
}

/**
 * Deploys a program and stays until the user stops it, its job has ended, or, with `--detach`, it is ready.
 * @returns the exit code: of a job, its own.
 * @throws {UsageProblem | LaunchProblem} for what the user can mend; nothing is left then.
 */
export async function launch(settings: Settings, program: Program, io: LaunchIo): Promise<number> {
  const reaching = reachAll(settings.clusters, io, !settings.dryRun);
  reaching.catch(() => undefined); // Told below; a program that cannot be packed is told first.
  const packed = await packProgram(program, settings);
  const { payload } = packed;
  const { reached, missing } = await reaching;
  try {
    const plans = await plansOf(settings, reached, payload, program, io);
    if (settings.dryRun) {
      for (const { plan } of plans) io.out(textOf(plan, settings.output));
      return 0;
    }
    const narrator = newNarrator(io, { prefixed: settings.replicas > 1, several: settings.clusters.length > 1, grep: settings.grep });
    for (const { name, why } of missing) narrator.problem(name, `it does not answer: ${why}; the others take its pods`);
    await Promise.all(
      plans.map(({ connection, plan }) =>
        checkPermissions(connection.client, plan.run.namespace, permissionsFor(plan, usesOf(settings, payload)), io.signal),
      ),
    );
    return await runAll({ settings, plans, packed, pack: () => packProgram(program, settings), io, narrator });
  } finally {
    await Promise.allSettled(reached.map(({ connection }) => connection.transport.close()));
  }
}

interface ClusterPlan {
  readonly connection: Connection;
  readonly plan: Plan;
  readonly wanted: number;
}

interface Packed {
  readonly payload: Payload;
  /** Absolute paths of what it was made from. */
  readonly inputs: readonly string[];
}

async function packProgram({ entry, root, nodeMajor }: Program, settings: Settings): Promise<Packed> {
  const [bundle, assets] = await Promise.all([bundleProgram(entry, root, nodeMajor), readAssets(root, settings.files)]);
  const files = [...bundle.files, ...assets];
  const payload = await packCode({ starter: 'node', files, entry: bundle.entry, platform: undefined });
  return { payload, inputs: [...bundle.inputs, ...assets.map(({ source }) => source)] };
}

const usesOf = ({ ports, watch, inspect }: Settings, payload: Payload) => ({
  forwards: ports.length > 0 || inspect !== undefined,
  sends: watch || isStreamed(payload),
});

async function plansOf(
  settings: Settings,
  reached: readonly Reached<Settings['clusters'][number]>[],
  payload: Payload,
  { command, nodeMajor }: Program,
  { random, startedBy }: LaunchIo,
): Promise<readonly ClusterPlan[]> {
  const replicas = splitByWeight(
    settings.replicas,
    reached.map(({ setting }) => setting.weight),
  );
  const read = async (path: string) => ({ path: basename(path), content: await readFile(path) });
  const [configFiles, tls] = await Promise.all([
    Promise.all(settings.config.map(read)).catch((cause: Error) => {
      throw new UsageProblem(`--config: ${cause.message}`, { cause });
    }),
    settings.tls === undefined ? undefined : readTls(settings.tls),
  ]);
  return reached.map(({ connection }, index) => {
    const wanted = replicas[index] ?? 0;
    const run = { app: settings.name, id: newRunId(random.bytes(8)), namespace: settings.namespace ?? connection.namespace };
    const image = settings.image ?? `node:${nodeMajor}-slim`;
    const common = {
      settings,
      payload,
      bootstrap: nodeBootstrap,
      image,
      security: 'restricted',
      tls,
      configFiles,
      startedBy,
      command,
    } as const;
    return { connection, wanted, plan: planRun({ ...common, run, replicas: wanted }) };
  });
}

async function readTls({ cert, key }: NonNullable<Settings['tls']>): Promise<{ readonly cert: string; readonly key: string }> {
  const read = (flag: string, path: string): Promise<string> =>
    readFile(path, 'utf8').catch((cause: Error) => {
      throw new UsageProblem(`${flag}: ${cause.message}`, { cause });
    });
  return { cert: await read('--tls-cert', cert), key: await read('--tls-key', key) };
}

/** Five characters of [a-z0-9]: one in sixty million meets another. */
const newRunId = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => (byte % 36).toString(36))
    .join('')
    .slice(0, 5);

function textOf(plan: Plan, output: Settings['output']): string {
  const items = [rootOf(plan), ...plan.objects].map(manifestOf);
  // JSON is YAML too, one document after the other.
  if (output === 'yaml') return items.map((item) => `---\n${JSON.stringify(item, undefined, 2)}\n`).join('');
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2)}\n`;
}

interface Running {
  readonly settings: Settings;
  readonly plans: readonly ClusterPlan[];
  readonly packed: Packed;
  /** Packs the program as it is then. */
  readonly pack: () => Promise<Packed>;
  readonly io: LaunchIo;
  readonly narrator: Narrator;
}

async function runAll(running: Running): Promise<number> {
  const { settings, plans, packed, io, narrator } = running;
  const { payload } = packed;
  const watching = new AbortController();
  const runs: ClusterRun[] = [];
  const forwards: PortForward[] = [];
  const page = deferred<number>(); // Its "stop" ends the run as it should end.
  let closePage: (() => Promise<void>) | undefined;
  let leave = false;
  const stopped = new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve();
    io.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    const started = await Promise.allSettled(
      plans.map(async ({ connection, plan, wanted }) => {
        const run = await startClusterRun({ connection, plan, payload, settings, wanted, several: plans.length > 1, io, narrator });
        runs.push(run); // At once: from here on there is something to take away.
      }),
    );
    const failure = started.find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    for (const { name, cluster, namespace, wanted } of runs)
      narrator.say(`${name}: ${wanted} ${wanted === 1 ? 'pod' : 'pods'} in namespace ${namespace} of ${cluster}`);
    if (settings.dashboard && !settings.detach)
      closePage = await showDashboard({ settings, plans, io, narrator, stop: () => page.resolve(0) });
    const stoppedThere = await Promise.race([stopped, page.promise, inTime(Promise.all(runs.map(({ ready }) => ready)), settings, io)]);
    if (io.signal.aborted) return 130;
    if (stoppedThere === 0) return 0;
    if (settings.inspect !== undefined && !settings.detach) forwards.push(await inspectAll(settings.inspect, plans, runs, io, narrator));
    if (!settings.job && !settings.detach) forwards.push(...(await forwardAll(settings, plans, runs, io, narrator)));
    if (settings.detach) {
      leave = true;
      narrator.say(`it runs until "orrery stop ${settings.name}"`);
      return 0;
    }
    if (settings.watch) void watchProgram(running, runs, watching.signal);
    const ended = allEnded(runs, narrator);
    const code = await Promise.race([stopped.then(() => 130), page.promise, ended]);
    leave = settings.keep;
    return code;
  } finally {
    watching.abort();
    await Promise.allSettled([...forwards.map((forward) => forward.close()), closePage?.()]);
    if (!leave) narrator.say('Stopping …');
    await Promise.all(runs.map((run) => leaveCluster(run, leave, io, narrator)));
  }
}

/** With every file that is saved, until `signal` aborts: packs the program again and brings it into all pods. */
async function watchProgram({ packed, pack, io: { clock }, narrator }: Running, runs: readonly ClusterRun[], signal: AbortSignal) {
  let { payload, inputs } = packed;
  const onChange = async (path: string): Promise<readonly string[]> => {
    const sinceMs = clock.monotonicMs();
    try {
      const now = await pack();
      inputs = now.inputs;
      if (now.payload.hash === payload.hash) return inputs;
      payload = now.payload;
      const counts = await Promise.all(runs.map((run) => run.update(now.payload)));
      const count = counts.reduce((sum, each) => sum + each, 0);
      const seconds = ((clock.monotonicMs() - sinceMs) / 1000).toFixed(1);
      narrator.say(`${basename(path)} changed: ${count} ${count === 1 ? 'pod runs' : 'pods run'} the new code after ${seconds} s`);
    } catch (error) {
      narrator.say(`! ${error instanceof Error ? error.message : String(error)}`); // The code before runs on.
    }
    return inputs;
  };
  const onProblem = (message: string): void => narrator.say(`! ${message}`);
  await watchFiles({ files: inputs, clock, signal, onChange, onProblem }).catch((error: unknown) => onProblem(String(error)));
}

/** How long a cluster that did not answer lately is waited for. */
const LOST_MS_MAX = 3_000;

async function leaveCluster(run: ClusterRun, stays: boolean, { clock }: LaunchIo, narrator: Narrator): Promise<void> {
  if (stays) return run.detach();
  const lost = run.lost();
  const limit = new AbortController();
  const late = clock.sleep(LOST_MS_MAX, limit.signal).then(
    () => Promise.reject(new Error(lost)),
    () => undefined,
  );
  try {
    await (lost === undefined ? run.remove() : Promise.race([run.remove(), late]));
  } catch (error) {
    const later = run.leased ? '; it does so by itself, 20 s after it is up again at the latest' : '';
    narrator.say(`! ${run.cluster}: it could not be asked to clean up: ${error instanceof Error ? error.message : String(error)}${later}`);
    await Promise.race([run.detach(), late.catch(() => undefined)]);
  } finally {
    limit.abort();
  }
}

/**
 * Waits for the end of all runs: the first exit code that is not 0. Where there are several, the end of one by others' hands is told and
 * the rest goes on; that of the last ends all.
 */
async function allEnded(runs: readonly ClusterRun[], narrator: Narrator): Promise<number> {
  let left = runs.length;
  const codes = await Promise.all(
    runs.map((run) =>
      run.ended.catch((error: unknown) => {
        left -= 1;
        if (left === 0) throw error;
        narrator.problem(run.cluster, error instanceof Error ? error.message : String(error));
        return 1;
      }),
    ),
  );
  return codes.find((code) => code !== 0) ?? 0;
}

async function inTime(ready: Promise<unknown>, { timeoutMs, job }: Settings, { clock, signal }: LaunchIo): Promise<void> {
  if (timeoutMs === undefined || job) return void (await ready);
  const late = clock.sleep(timeoutMs, signal).then(() => {
    throw new LaunchProblem(`it is not ready after ${timeoutMs / 1000} s`);
  });
  late.catch(() => undefined);
  await Promise.race([ready, late]);
}

async function forwardAll(
  { ports, tls }: Settings,
  plans: readonly ClusterPlan[],
  runs: readonly ClusterRun[],
  { clock }: LaunchIo,
  narrator: Narrator,
): Promise<PortForward[]> {
  const [transport] = plans.map(({ connection }) => connection.transport);
  if (transport === undefined) return [];
  return Promise.all(
    ports.map(async (setting) => {
      const forward = await forwardOne(setting, (local) =>
        newPortForward({
          transport,
          clock,
          pods: () => runs.flatMap((run) => run.readyPods()),
          local,
          remote: setting.port,
          onProblem: (message) => narrator.problem(`port ${setting.port}`, message),
        }),
      );
      narrator.say(`${tls === undefined ? 'http' : 'https'}://localhost:${forward.port}`);
      return forward;
    }),
  );
}

function inspectAll(
  port: number,
  plans: readonly ClusterPlan[],
  runs: readonly ClusterRun[],
  { clock }: LaunchIo,
  narrator: Narrator,
): Promise<PortForward> {
  const [first] = plans;
  if (first === undefined) throw new LaunchProblem('there is no cluster');
  const open = (listen: (local: number) => Promise<PortForward>) => forwardOne({ port, local: undefined }, listen);
  return forwardDebugger({ port, open, transport: first.connection.transport, runs, clock, narrator });
}

/** The program's own port on this machine, where it is free; the one that was asked for, or none. */
async function forwardOne({ port, local }: PortSetting, open: (local: number) => Promise<PortForward>): Promise<PortForward> {
  if (local !== undefined) return open(local);
  return open(port).catch((error: unknown) => {
    if (error instanceof LaunchProblem) return open(0);
    throw error;
  });
}

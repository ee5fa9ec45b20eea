import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import { emptyImageMap } from '@orrery/cri-process';
import type { CliContext } from '../cli/command.ts';
import type { ClusterPaths } from '../cli/paths.ts';
import { isMachineRoot, isOrdinaryUser } from '../rootless/inside.ts';
import { type AddressRanges, claimRanges, rangesOf, releaseRanges } from './address-ranges.ts';
import type { OpenedRuntime, RuntimeOptions } from './drivers/driver.ts';
import { processDriver } from './drivers/process-driver.ts';
import { containerEnvironment } from './environment.ts';
import { writePrivateFile } from './instance.ts';
import { unmountUnder } from './mounts.ts';
import { isSamePlace, keepPlace, keptPlace, type NodePlace } from './node-place.ts';
import { keepRegistries, registriesFile } from './registries.ts';
import { type ChosenDriver, chooseDriver, readImageMap } from './runtimes.ts';
import { STOP_SECONDS, stopAllPods } from './stop-pods.ts';

/** What a user says of this machine as a node. */
export interface NodeHostOptions {
  /** As `--runtime`; undefined: process with an image map, which is of no use to others, else the best one that works. */
  readonly runtime: string | undefined;
  /** Paths. */
  readonly imageMap: string | undefined;
  readonly registries: string | undefined;
  /** Where other machines reach this one; undefined: the cluster is on this machine alone. */
  readonly machineAddress?: string | undefined;
  /** What a cluster that runs elsewhere gave to this node. @default the first place in this cluster's own ranges */
  readonly place?: NodePlace;
}

/** This machine, ready to run pods. */
export interface NodeHost extends OpenedRuntime {
  readonly instanceId: string;
  readonly ranges: AddressRanges;
  /** Stops every pod and removes everything of ours from the machine, but for files under the node's folder. */
  end(): Promise<void>;
}

type Context = Pick<CliContext, 'clock' | 'random' | 'env'>;

/** All clusters of a machine choose their address ranges here; an ordinary user's are in namespaces of his own. */
const CLAIMS = '/var/lib/orrery/ranges';

/** Names what one cluster has on this machine: the same for the same folder, whether or not it is still there. */
export const instanceIdOf = ({ node }: ClusterPaths): string =>
  BigInt(`0x${createHash('sha256').update(resolve(node)).digest('hex')}`)
    .toString(36)
    .slice(0, 6);

/** Opens the runtime and the network for pods, and ends what was left here by another driver, or at other addresses. */
export async function openNodeHost(options: NodeHostOptions, paths: ClusterPaths, context: Context, log: Logger): Promise<NodeHost> {
  const environment = containerEnvironment(context.env);
  const chosen = await chooseDriver(options.runtime ?? (options.imageMap === undefined ? undefined : 'process'), environment);
  const before = await recordedDriver(paths, environment);
  const hasMoved = options.place !== undefined && !isSamePlace(options.place, await keptPlace(paths.data));
  if (before !== undefined && (hasMoved || before.driver !== chosen.driver)) await endPods(before, paths, context, log);
  const { ranges, podCidr } = options.place ?? (await ownPlace(paths, context));
  if (options.place !== undefined) await keepPlace(paths.data, options.place);
  await mkdir(paths.node, { recursive: true, mode: 0o700 });
  await writePrivateFile(recordOf(paths), `${chosen.wanted ?? chosen.driver.name}\n`);
  if (options.registries !== undefined) await keepRegistries(options.registries, paths.data);
  const registries = registriesFile(paths.data);
  const opened = await chosen.driver.open({
    ...baseOptions(paths, { ranges, podCidr }, context, log, chosen),
    machineAddress: options.machineAddress,
    imageMap: await readImageMap(options.imageMap),
    registries: existsSync(registries) ? registries : undefined,
  });
  return {
    ...opened,
    notes: [...chosen.notes, ...opened.notes],
    instanceId: instanceIdOf(paths),
    ranges,
    end: () =>
      heldAlive(context.clock, async () => {
        await endOpened(opened, chosen, { directory: paths.node, instanceId: instanceIdOf(paths), ranges, clock: context.clock }, log);
      }),
  };
}

/** Stops the pods that a killed Orrery left running, and removes what it made on the machine. */
export async function endLeftovers(paths: ClusterPaths, context: Context, log: Logger): Promise<void> {
  const recorded = await recordedDriver(paths, containerEnvironment(context.env));
  if (recorded !== undefined) await heldAlive(context.clock, () => endPods(recorded, paths, context, log));
}

/** Gives back what a cluster has of the machine beside its folder: before that is deleted. */
export async function releaseNodeHost({ data }: ClusterPaths): Promise<void> {
  if (process.getuid?.() === 0) await releaseRanges(data, CLAIMS);
}

const HOLD_MS = 3_600_000; // Longer than any stop.

/** Keeps this process alive until the work is done: what it waits for may be watched in the background only. */
async function heldAlive<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  const hold = clock.after(HOLD_MS, () => undefined);
  try {
    return await work();
  } finally {
    hold.cancel();
  }
}

async function endPods(chosen: ChosenDriver, paths: ClusterPaths, context: Context, log: Logger): Promise<void> {
  const place = (await keptPlace(paths.data)) ?? (await ownPlace(paths, context));
  const options = { ...baseOptions(paths, place, context, log, chosen), imageMap: emptyImageMap };
  const opened = await chosen.driver.open(options).catch(async (error: unknown) => {
    await removeTraces(chosen, options); // Nobody can be asked to stop pods; what is of no use without them goes all the same.
    throw error;
  });
  await endOpened(opened, chosen, options, log);
}

/** What cannot be stopped does not keep the rest from being removed. */
async function endOpened(opened: OpenedRuntime, chosen: ChosenDriver, options: TraceOptions, log: Logger): Promise<void> {
  const failures = await stopAllPods(opened.runtime, STOP_SECONDS);
  for (const error of failures) log.error('a pod could not be stopped', { error });
  await opened.close();
  await removeTraces(chosen, options);
}

type TraceOptions = Pick<RuntimeOptions, 'directory' | 'instanceId' | 'ranges' | 'clock'>;

async function removeTraces({ driver }: ChosenDriver, options: TraceOptions): Promise<void> {
  try {
    await driver.cleanUp(options);
  } finally {
    await unmountUnder(options.directory);
  }
}

function baseOptions(
  paths: ClusterPaths,
  place: NodePlace,
  { clock, random, env }: Context,
  log: Logger,
  { wanted }: ChosenDriver,
): Omit<RuntimeOptions, 'imageMap'> {
  const environment = containerEnvironment(env);
  return { directory: paths.node, clock, random, log, instanceId: instanceIdOf(paths), ...place, wanted, environment };
}

/** Of the node that runs beside the API server. */
async function ownPlace({ data }: ClusterPaths, { env }: Pick<Context, 'env'>): Promise<NodePlace> {
  const ranges = isMachineRoot(env) ? await claimRanges(data, CLAIMS) : rangesOf(0);
  return { ranges, podCidr: ranges.firstNode };
}

const recordOf = ({ node }: ClusterPaths): string => join(node, 'runtime');

/** The driver that was used last; undefined when none was, or it is not on this machine any more. */
async function recordedDriver(paths: ClusterPaths, environment: Readonly<Record<string, string>>): Promise<ChosenDriver | undefined> {
  if (!existsSync(paths.node)) return undefined;
  const recorded = (await readFile(recordOf(paths), 'utf8').catch(() => '')).trim();
  // An ordinary user's containers were in namespaces of his own, and are ended there.
  if (recorded === '' || (isOrdinaryUser() && recorded !== processDriver.name)) return undefined;
  return chooseDriver(recorded, environment);
}

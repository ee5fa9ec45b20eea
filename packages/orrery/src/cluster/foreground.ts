import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { writeKubeconfig } from '@orrery/client';
import { type Logger, newLogger } from '@orrery/component';
import { openLmdbStore, StorageError, type Store } from '@orrery/storage';
import { type CliContext, CliError } from '../cli/command.ts';
import type { ClusterPaths } from '../cli/paths.ts';
import type { UpOptions } from '../cmd/up.ts';
import { openFront, rootlessNotes, withFront } from '../rootless/front.ts';
import { type HostLink, openHostLink } from '../rootless/host-link.ts';
import { isInsideNamespaces, servingPid } from '../rootless/inside.ts';
import { kubernetesVersion, orreryVersion } from '../version.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { machineAddressOf, namesOf, nodeNameOf, urlHost } from './hosts.ts';
import { claimInstance, type Instance, newInstance, removeInstance, runningText, writeInstance, writePrivateFile } from './instance.ts';
import { type NodeOptions, overlayIdOf } from './node.ts';
import { type NodeHost, openNodeHost } from './node-host.ts';
import { loadPki, loadSigningKey } from './pki-files.ts';
import { makePrivateFolder } from './private-folder.ts';
import { newProgress, type Progress, readyText } from './progress.ts';
import { STOP_KEEPING_PODS } from './stop.ts';
import { adminKubeconfig, mergeIntoUserKubeconfig } from './user-kubeconfig.ts';

const PORT_DEFAULT = 6443;
const LOOPBACK = '127.0.0.1';

/** Runs a cluster in this process until `signal` aborts, then stops it and, unless the reason says otherwise, its pods. */
export async function upForeground(options: UpOptions, context: CliContext, signal: AbortSignal): Promise<void> {
  const { paths, clock, err } = context;
  const cluster = paths.cluster(options.name);
  const startedMs = clock.monotonicMs();
  await makePrivateFolder(cluster.data);
  const pid = servingPid(context.env);
  const running = await claimInstance(cluster.instance, newInstance(pid, 'starting', clock));
  if (running !== undefined) throw new CliError(`cluster "${options.name}" ${runningText(running)}${adviceToStop(running, options.name)}`);
  const progress = newProgress(err);
  let store: Store | undefined;
  try {
    err.write(`Orrery ${orreryVersion}, Kubernetes ${kubernetesVersion}, cluster "${options.name}"\n`);
    store = await openStore(cluster, context);
    progress.step('store', cluster.store, clock.monotonicMs() - startedMs);
    await serveUntil(options, context, cluster, store, progress, signal);
  } finally {
    await store?.close();
    await removeInstance(cluster.instance, pid);
  }
}

const adviceToStop = ({ phase }: Instance, name: string): string =>
  phase === 'ending' ? '; try again when that is done' : `; stop it with "orrery down${name === 'default' ? '' : ` --name ${name}`}"`;

async function serveUntil(
  options: UpOptions,
  context: CliContext,
  paths: ClusterPaths,
  store: Store,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { clock, err } = context;
  let atMs = clock.monotonicMs();
  const step = (what: string, detail: string): void => {
    progress.step(what, detail, clock.monotonicMs() - atMs);
    atMs = clock.monotonicMs();
  };
  const log = newLogger({ write: (line) => err.write(line), clock, level: 'warn' });
  const link = isInsideNamespaces(context.env) ? openHostLink() : undefined;
  const [node, nodeName] = [
    await openNodeHost(
      { ...options, machineAddress: link === undefined ? machineAddressOf(options.host) : undefined },
      paths,
      context,
      log,
    ).catch((error: unknown) => {
      link?.close();
      throw error;
    }),
    nodeNameOf(options.nodeName ?? hostname()),
  ];
  let running: Cluster | undefined;
  await link?.tell('opened');
  try {
    running = await startServing(options, context, paths, store, node, nodeName, log, link);
    const url = `https://${urlHost(options.host)}:${running.apiserver.port}`;
    step('API server', url);
    await announce(options, context, paths, url, nodeName, { ...node, notes: [...rootlessNotes(context.env), ...node.notes] });
    step('node', `${nodeName} (${node.name} driver)`);
    for (const note of [...rootlessNotes(context.env), ...node.notes]) progress.note(note);
    if (!options.background) err.write(readyText(options, paths, 'foreground'));
    await untilStopped(running, signal);
    err.write('Stopping …\n');
  } finally {
    await running?.stop();
    const keepPods = signal.reason instanceof Error && signal.reason.message === STOP_KEEPING_PODS;
    await (keepPods ? node.close() : node.end());
    if (!keepPods) await link?.tell('ended');
    link?.close();
  }
}

async function startServing(
  { host, port, name, maxPods, podMaxPids }: UpOptions,
  { clock, random }: CliContext,
  paths: ClusterPaths,
  store: Store,
  nodeHost: NodeHost,
  nodeName: string,
  log: Logger,
  link: HostLink | undefined,
): Promise<Cluster> {
  const issuer = { nowMs: clock.now(), serial: () => random.bytes(16) };
  const { runtime, address, services, ranges, instanceId, cgroupRoot } = nodeHost;
  const local = [address, ...(services === undefined ? [] : [services.address])];
  const hosts = { apiserver: [...namesOf(host), apiServiceAddress(ranges.services), ...local], nodeName, node: local };
  const pki = await loadPki(paths.pki, hosts, issuer);
  const machineAddress = link === undefined ? machineAddressOf(host) : undefined;
  const podHost = services === undefined ? {} : { podHost: machineAddress ?? services.address };
  const front = link === undefined ? undefined : await openFront(link, paths, host, port, name);
  const serve = {
    host: front === undefined ? host : LOOPBACK,
    port: front?.port ?? (await choosePort(paths, host, port, name)),
    pki,
    ...podHost,
  };
  const node: NodeOptions = {
    name: nodeName,
    runtime,
    directory: paths.node,
    address,
    maxPods,
    podMaxPids,
    ...(cgroupRoot === undefined ? {} : { cgroupRoot }),
    ...(services === undefined
      ? {}
      : {
          network: {
            instanceId,
            services,
            ranges,
            ...(machineAddress === undefined ? {} : { overlayId: overlayIdOf(pki.ca.cert) }),
          },
        }),
  };
  try {
    const signingKey = await loadSigningKey(paths.pki);
    const cluster = await startCluster({ store, clock, random, log, serve, node, ranges, signingKey });
    return link === undefined || front === undefined ? cluster : withFront(cluster, link, front, { clock, log, host });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new CliError(`port ${serve.port} of ${host} is in use: end the program that listens there, or choose another port with --port`, {
      cause,
    });
  }
}

async function openStore({ store }: ClusterPaths, { clock }: CliContext): Promise<Store> {
  try {
    return await openLmdbStore({ directory: store, clock });
  } catch (cause) {
    if (cause instanceof StorageError)
      throw new CliError(`cannot open the store in ${store}: ${cause.message}${adviceFor(cause)}`, { cause });
    throw cause;
  }
}

function adviceFor({ code, cause }: StorageError): string {
  if (/MODULE_NOT_FOUND|DLOPEN_FAILED/.test((cause as NodeJS.ErrnoException | undefined)?.code ?? '')) {
    return '; a part of Orrery is missing: install it again (the data is not to blame)';
  }
  if (code === 'Corrupt') return '; restore a copy of the folder, or delete the cluster with "orrery reset"';
  if (code === 'Locked') return '; end that process, or choose another cluster with --name';
  if (code === 'NoSpace') return '; make room on that disk and start again: nothing that was acknowledged is lost';
  if (code === 'VersionTooNew') return '; use the newer Orrery, or delete the cluster with "orrery reset"';
  return '';
}

/** Of the Service `kubernetes`: the first of the range. */
const apiServiceAddress = (services: string): string => services.replace(/0\/\d+$/, '1');

/** The port asked for, or the one this cluster had last, so that kubeconfigs stay true; else 6443 or any free one. */
async function choosePort({ data }: ClusterPaths, host: string, asked: number | undefined, name: string): Promise<number> {
  if (asked !== undefined) return asked;
  const last = Number(await readFile(`${data}/port`, 'utf8').catch(() => ''));
  if (Number.isSafeInteger(last) && last > 0) return last;
  return name === 'default' && (await isFree(host, PORT_DEFAULT)) ? PORT_DEFAULT : 0;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Everything that tells others of this cluster, the instance file last: who sees it may use the rest. */
async function announce(
  options: UpOptions,
  context: CliContext,
  paths: ClusterPaths,
  url: string,
  nodeName: string,
  { name: runtime, notes }: NodeHost,
): Promise<void> {
  const { paths: all, clock } = context;
  await writePrivateFile(`${paths.data}/port`, `${new URL(url).port}\n`);
  const [ca, cert, key] = await Promise.all(['ca.crt', 'admin.crt', 'admin.key'].map((file) => readFile(`${paths.pki}/${file}`, 'utf8')));
  await writeKubeconfig(paths.kubeconfig, adminKubeconfig(options.name, url, ca ?? '', { cert: cert ?? '', key: key ?? '' }));
  if (options.mergeKubeconfig) await mergeIntoUserKubeconfig(all.userKubeconfig, paths.kubeconfig, clock);
  const startedAt = new Date(clock.now()).toISOString();
  await writeInstance(paths.instance, {
    pid: servingPid(context.env),
    url,
    version: orreryVersion,
    startedAt,
    node: nodeName,
    runtime,
    notes,
  });
}

async function untilStopped({ done }: Cluster, signal: AbortSignal): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([stopped, done]);
}

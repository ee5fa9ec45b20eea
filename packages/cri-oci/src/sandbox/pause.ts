import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { RuntimeError } from '@orrery/cri';
import { cgroupParent, track } from '../container-calls.ts';
import type { ContainerRecord, SandboxRecord } from '../records.ts';
import { clampedOomScore } from '../spec/resources.ts';
import { containerSpec } from '../spec/spec.ts';
import { newId, type State } from '../state.ts';
import { podUsers, userNamespaceFile } from './user-namespace.ts';

const PAUSE_OOM_SCORE = -998; // As upstream's kubelet protects the container that holds a pod together.
const noCapabilities = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };

/**
 * Starts the first process of a pod whose containers share their processes: a pid namespace lives as long as that does. It is a container
 * like others, of a root file system that holds nothing but the one program, and without any privilege.
 *
 * @throws {RuntimeError} `UNIMPLEMENTED` when this machine has no program for it.
 */
export async function startPause(state: State, sandbox: SandboxRecord): Promise<string> {
  const { host, clock, random, containerRecords, userRoots } = state;
  if (host.pause === undefined)
    throw new RuntimeError(
      'UNIMPLEMENTED',
      'shareProcessNamespace needs a small program that this machine does not have: install catatonit',
    );
  const [program, ...args] = host.pause;
  const inside = `/${basename(program)}`;
  const id = newId(random);
  const directory = containerRecords.directory(id);
  const own = join(directory, 'rootfs');
  const users = podUsers(sandbox.config);
  const rootfs = users === undefined || userRoots === undefined ? own : join(userRoots, 'rootfs');
  await mkdir(rootfs, { recursive: true });
  for (const folder of ['proc', 'dev', 'sys']) await mkdir(join(own, folder), { recursive: true });
  await writeFile(join(own, inside), '');
  const cgroupPath = `${cgroupParent(state, sandbox)}/${id}`;
  const spec = containerSpec({
    rootfs,
    context: { readonlyRootfs: true, noNewPrivs: true },
    args: [inside, ...args],
    env: ['PATH=/'],
    cwd: '/',
    terminal: false,
    user: { uid: 65535, gid: 65535, additionalGids: [65535] }, // As upstream's pause image.
    capabilities: noCapabilities,
    seccomp: undefined,
    namespaces: [
      { type: 'mount' },
      { type: 'pid' },
      ...(sandbox.netnsPath === undefined ? [] : [{ type: 'network' as const, path: sandbox.netnsPath }]),
      ...(users === undefined ? [] : [{ type: 'user' as const, path: userNamespaceFile(state.sandboxRecords.directory(sandbox.id)) }]),
    ],
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
      { destination: inside, type: 'bind', source: program, options: ['bind', 'ro'] },
    ],
    rootfsPropagation: undefined,
    devices: { devices: [], rules: [{ allow: false, access: 'rwm' }] },
    resources: host.limits ? { cpu: { shares: 2 } } : {},
    cgroupsPath: host.limits ? cgroupPath : undefined,
    oomScoreAdj: clampedOomScore(PAUSE_OOM_SCORE, host.oomScoreAdj, host.capabilities.has('CAP_SYS_RESOURCE')),
    hostname: '',
    sysctls: {},
    idMappings: users,
    apparmorProfile: undefined,
  });
  await writeFile(join(directory, 'config.json'), JSON.stringify(spec), { mode: 0o600 });
  const record: ContainerRecord = {
    id,
    sandboxId: sandbox.id,
    config: { env: {} },
    logPath: join(directory, 'output.log'),
    imageId: '',
    imageRef: '',
    user: spec.process.user,
    stopSignal: 'SIGTERM',
    resources: {},
    cgroupPath,
    createdAtMs: clock.now(),
    startedAtMs: 0,
    mounts: rootfs === own ? [] : [{ mount: { type: 'bind', source: own, options: 'bind', directory }, target: rootfs }],
    imageVolumes: [],
    internal: true,
  };
  await containerRecords.write(record);
  const container = track(state, record);
  await container.start();
  return id;
}

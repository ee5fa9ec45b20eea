import { type PodSandboxConfig, RuntimeError } from '@orrery/cri';
import type { HostAbilities } from './host.ts';
import type { ImageMap } from './image-map.ts';
import { CONTAINER_MARK } from './process-table.ts';
import type { RecordedConfig } from './records.ts';

/** A container's program, fully resolved. */
export interface Program {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface ProgramInput {
  readonly id: string;
  readonly config: RecordedConfig;
  readonly sandbox: PodSandboxConfig;
  readonly address: string;
  readonly imageMap: ImageMap;
  /** The agent's own PATH and HOME: what a container gets unless it says otherwise. */
  readonly defaults: Readonly<Record<string, string>>;
}

/**
 * What a container runs: its own command and args, or the image map's, by the rules of ENTRYPOINT and CMD.
 *
 * Beside its own environment it gets `POD_IP` and `HOST` (its address), `PORT` (its first port, where it names one) and HOSTNAME.
 *
 * @throws {RuntimeError} `UNIMPLEMENTED` when neither the pod nor the map names a program.
 */
export function resolveProgram({ id, config, sandbox, address, imageMap, defaults }: ProgramInput): Program {
  const image = config.image?.userSpecifiedImage ?? config.image?.image ?? '';
  const mapped = imageMap.resolve(image) ?? imageMap.resolve(config.image?.image ?? '');
  const { command = [], args = [] } = config;
  const argv =
    command.length > 0 ? [...command, ...args] : [...(mapped?.entrypoint ?? []), ...(args.length > 0 ? args : (mapped?.command ?? []))];
  const programless = command.length === 0 && mapped === undefined;
  if (argv[0] === undefined || programless) {
    throw new RuntimeError(
      'UNIMPLEMENTED',
      `the process driver has no program for image "${image}": set the container's command, map the image to a host command (orrery up --image-map), or install crun or runc to run images`,
    );
  }
  const port = sandbox.portMappings?.find(({ containerPort = 0 }) => containerPort > 0)?.containerPort;
  const env: Record<string, string> = {
    ...defaults,
    HOSTNAME: sandbox.hostname ?? '',
    POD_IP: address,
    HOST: address,
    ...(port === undefined ? {} : { PORT: String(port) }),
    ...(mapped?.env ?? {}),
    ...config.env,
    [CONTAINER_MARK]: id,
  };
  const expand = mapped === undefined ? (text: string) => text : (text: string) => expandVariables(text, env);
  return { argv: argv.map(expand), env, cwd: orElse(config.workingDir, mapped?.workingDir) };
}

const orElse = (first: string | undefined, second: string | undefined): string =>
  first !== undefined && first !== '' ? first : (second ?? '/');

/** `$(NAME)` of the image map's entries; the pod's own were expanded by the kubelet. */
function expandVariables(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (whole, name: string) => env[name] ?? whole);
}

/** `setpriv …` in front of a command, as its security context asks; empty when nothing has to change. */
export function privilegeArguments({ linux }: RecordedConfig, { root, setpriv }: HostAbilities): readonly string[] {
  const { privileged, runAsUser, runAsGroup, supplementalGroups = [], noNewPrivs, capabilities } = linux?.securityContext ?? {};
  if (!root || !setpriv || privileged === true) return [];
  const user = runAsUser?.value;
  const group = runAsGroup?.value ?? user;
  const flags: string[] = [];
  if (group !== undefined) flags.push(`--regid=${group}`);
  if (group !== undefined || supplementalGroups.length > 0)
    flags.push(supplementalGroups.length > 0 ? `--groups=${supplementalGroups.join(',')}` : '--clear-groups');
  if (user !== undefined) flags.push(`--reuid=${user}`);
  const bounding = boundingSet(capabilities?.addCapabilities ?? [], capabilities?.dropCapabilities ?? []);
  if (bounding !== undefined) flags.push(`--bounding-set=${bounding}`, `--inh-caps=${bounding}`);
  if (noNewPrivs === true) flags.push('--no-new-privs');
  return flags.length === 0 ? [] : ['setpriv', ...flags, '--'];
}

/** setpriv's form of "drop these, but keep those": `-all,+net_bind_service`. */
function boundingSet(add: readonly string[], drop: readonly string[]): string | undefined {
  if (drop.length === 0) return undefined;
  const name = (capability: string): string => capability.toLowerCase().replace(/^cap_/, '');
  const added = new Set(add.map(name));
  const dropped = drop.map(name);
  if (dropped.includes('all')) return ['-all', ...[...added].map((capability) => `+${capability}`)].join(',');
  const list = dropped.filter((capability) => !added.has(capability)).map((capability) => `-${capability}`);
  return list.length === 0 ? undefined : list.join(',');
}

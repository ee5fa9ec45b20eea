import { type FlagName, flagsOfEnvironment, type GivenFlags, type ParsedArguments } from './flags.ts';
import { dns1123LabelProblems } from './names.ts';
import { type Settings, type UniverseOptions, UsageProblem } from './settings.ts';
import {
  parseAutoscale,
  parseClusters,
  parseCount,
  parseDurationMs,
  parseExposure,
  parsePattern,
  parsePort,
  parseQuantity,
} from './values.ts';

export interface SettingsSources {
  readonly options: UniverseOptions;
  readonly parsed: ParsedArguments;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Used where nobody names the application. */
  readonly fallbackName: string;
}

const INSPECT_PORT = 9229;

/**
 * One set of settings: flags win over the environment, both over the options in code.
 * @throws {UsageProblem} naming the flag that is wrong.
 */
export function resolveSettings({ options, parsed, env, fallbackName }: SettingsSources): Settings {
  const given: GivenFlags = { ...flagsOfEnvironment(env), ...parsed.flags };
  const one = <T>(name: FlagName, read: (text: string, flag: string) => T): T | undefined => {
    const text = given[name]?.[0];
    return text === undefined ? undefined : read(text, `--${name}`);
  };
  const text = (value: string): string => value;
  const on = (name: FlagName): boolean => given[name]?.[0] === 'true';
  const exposure = one('expose', parseExposure);
  const job = given.job === undefined ? (options.job ?? false) : on('job');
  const ports =
    given.port?.map((value) => parsePort(value, '--port')) ?? (options.ports ?? []).map((port) => parsePort(String(port), 'ports'));
  const settings: Settings = {
    name: nameOf(one('name', text) ?? options.name ?? fallbackName),
    ports,
    replicas: one('replicas', parseCount) ?? parseCount(String(options.replicas ?? 1), 'replicas'),
    cpu: one('cpu', parseQuantity) ?? (options.cpu === undefined ? undefined : parseQuantity(options.cpu, 'cpu')),
    memory: one('memory', parseQuantity) ?? (options.memory === undefined ? undefined : parseQuantity(options.memory, 'memory')),
    namespace: one('namespace', text) ?? options.namespace,
    tls: tlsOf(one('tls-cert', text), one('tls-key', text)),
    env: { ...options.env, ...variablesOf('--env', given.env, env) },
    secrets: { ...variablesOf('secrets', options.secrets, env), ...variablesOf('--secret', given.secret, env) },
    config: given.config ?? [],
    files: options.files ?? [],
    expose: exposure?.exposure ?? options.expose ?? 'ClusterIP',
    host: exposure?.host,
    autoscale: one('autoscale', parseAutoscale),
    job,
    clusters: one('clusters', parseClusters) ?? [{ context: given.kubernetes?.[0] ?? '', weight: 1 }],
    detach: on('detach'),
    keep: on('keep'),
    watch: on('watch'),
    inspect: one('inspect', (value, flag) => (value === '' ? INSPECT_PORT : parsePort(value, flag).port)),
    dashboard: on('dashboard'),
    dryRun: on('dry-run'),
    output: one('output', (value, flag) => oneOf(value, flag, ['yaml', 'json'] as const)) ?? 'yaml',
    image: one('image', text) ?? options.image,
    timeoutMs: one('timeout', parseDurationMs) ?? (job ? undefined : 300_000),
    grep: one('grep', parsePattern),
    args: parsed.args,
  };
  refuseContradictions(settings);
  return settings;
}

function nameOf(name: string): string {
  const problem = dns1123LabelProblems(name);
  if (problem !== undefined) throw new UsageProblem(`name ${JSON.stringify(name)}: ${problem}`);
  return name;
}

function oneOf<T extends string>(value: string, flag: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new UsageProblem(`${flag} ${JSON.stringify(value)}: must be one of ${choices.join(', ')}`);
  return found;
}

function tlsOf(cert: string | undefined, key: string | undefined): Settings['tls'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new UsageProblem('--tls-cert and --tls-key must be given together');
  return { cert, key };
}

function variablesOf(flag: string, given: readonly string[] = [], env: SettingsSources['env']): Record<string, string> {
  return Object.fromEntries(
    given.map((entry) => {
      const [, name = '', value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(entry) ?? [];
      if (!/^[A-Za-z_.-][\w.-]*$/.test(name)) throw new UsageProblem(`${flag} ${JSON.stringify(name)}: not a name of a variable`);
      const found = value ?? env[name];
      if (found === undefined) throw new UsageProblem(`${flag} ${name}: it has no value and is not in the environment`);
      return [name, found];
    }),
  );
}

function refuseContradictions({ job, autoscale, detach, watch, clusters, expose, ports }: Settings): void {
  const refuse = (condition: boolean, message: string): void => {
    if (condition) throw new UsageProblem(message);
  };
  refuse(job && autoscale !== undefined, '--job and --autoscale exclude each other');
  refuse(job && watch, '--job and --watch exclude each other');
  refuse(detach && watch, '--detach and --watch exclude each other');
  refuse(autoscale !== undefined && clusters.length > 1, '--autoscale works on one cluster');
  refuse(expose !== 'ClusterIP' && ports.length === 0, `--expose ${expose} needs a port: --port <port>`);
}

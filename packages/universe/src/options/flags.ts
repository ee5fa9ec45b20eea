import { UsageProblem } from './settings.ts';

/** `switch` takes no value, `value` one, `list` may be given often, `optional` takes one only behind `=`. */
export type FlagKind = 'switch' | 'value' | 'list' | 'optional';

export interface Flag {
  readonly kind: FlagKind;
  readonly placeholder?: string;
  readonly description: string;
}

/** Every flag of `--kubernetes`. Each is also read from the environment: `--tls-cert` from `UNIVERSE_TLS_CERT`, lists separated by commas. */
export const flags = {
  kubernetes: { kind: 'optional', placeholder: 'context', description: 'deploy to Kubernetes instead of running here' },
  name: { kind: 'value', placeholder: 'name', description: 'name of the application' },
  replicas: { kind: 'value', placeholder: 'n', description: 'pods to run' },
  cpu: { kind: 'value', placeholder: 'quantity', description: 'CPU of each pod, request and limit' },
  memory: { kind: 'value', placeholder: 'quantity', description: 'memory of each pod, request and limit' },
  namespace: { kind: 'value', placeholder: 'name', description: "namespace to work in (default: the context's)" },
  env: { kind: 'list', placeholder: 'NAME[=value]', description: 'variable of the program; without a value, this environment’s' },
  secret: { kind: 'list', placeholder: 'NAME[=value]', description: 'the same, kept in a Secret' },
  config: { kind: 'list', placeholder: 'file', description: 'file to put beside the code, as a ConfigMap' },
  port: { kind: 'list', placeholder: '[local:]port', description: 'where the program listens' },
  expose: { kind: 'value', placeholder: 'type', description: 'ClusterIP, NodePort, LoadBalancer, Ingress or Ingress=host' },
  autoscale: { kind: 'value', placeholder: 'min-max[@cpu%]', description: 'scale by CPU use' },
  'tls-cert': { kind: 'value', placeholder: 'file', description: 'certificate, mounted from a Secret' },
  'tls-key': { kind: 'value', placeholder: 'file', description: 'key of the certificate' },
  job: { kind: 'switch', description: 'run once, to the end; exit with its code' },
  clusters: { kind: 'value', placeholder: 'a[=weight],b', description: 'split the replicas over these contexts' },
  detach: { kind: 'switch', description: 'return when it is ready; it stays until "orrery stop"' },
  keep: { kind: 'switch', description: 'let it run on when this program ends' },
  watch: { kind: 'switch', description: 'run changed code as soon as a file is saved' },
  inspect: { kind: 'optional', placeholder: 'port', description: 'forward the debugger of the first pod' },
  dashboard: { kind: 'switch', description: 'open a page that shows it' },
  'dry-run': { kind: 'switch', description: 'print the objects, create nothing' },
  output: { kind: 'value', placeholder: 'yaml|json', description: 'how --dry-run prints' },
  image: { kind: 'value', placeholder: 'image', description: 'image to run on' },
  timeout: { kind: 'value', placeholder: 'duration', description: 'longest wait until it is ready, as 90s or 5m' },
  grep: { kind: 'value', placeholder: 'pattern', description: 'show only log lines that match' },
} as const satisfies Readonly<Record<string, Flag>>;

export type FlagName = keyof typeof flags;
const flagNames = Object.keys(flags) as readonly FlagName[];
const flagOf = (name: string): Flag | undefined => (Object.hasOwn(flags, name) ? flags[name as FlagName] : undefined);

/** What was said of each flag: every value in order. A switch that is on is `['true']`, an optional without a value `['']`. */
export type GivenFlags = Readonly<Partial<Record<FlagName, readonly string[]>>>;

export interface ParsedArguments {
  readonly flags: GivenFlags;
  /** What is not ours: the program's own arguments, in order. */
  readonly args: readonly string[];
}

/**
 * Takes our flags out of a program's arguments; everything else, and all behind `--`, is the program's own.
 * @throws {UsageProblem} when a flag of ours lacks its value or has one that it does not take.
 */
export function parseArguments(argv: readonly string[]): ParsedArguments {
  const given: Partial<Record<FlagName, string[]>> = {};
  const args: string[] = [];
  const dryRun = argv.includes('--dry-run');
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    if (argument === '--') {
      args.push(...argv.slice(index + 1));
      break;
    }
    const long = dryRun && argument === '-o' ? '--output' : argument;
    const [, name = '', inline] = /^--([a-z][a-z-]*)(?:=([\s\S]*))?$/.exec(long) ?? [];
    const flag = flagOf(name);
    if (flag === undefined) {
      args.push(argument);
      continue;
    }
    const next = (): string => {
      index += 1;
      const value = argv[index];
      if (value === undefined) throw new UsageProblem(`--${name} needs a value: --${name} <${flag.placeholder ?? 'value'}>`);
      return value;
    };
    const value = readValue(name, flag, inline, next);
    const key = name as FlagName;
    given[key] = flag.kind === 'list' ? [...(given[key] ?? []), value] : [value];
  }
  return { flags: given, args };
}

function readValue(name: string, { kind }: Flag, inline: string | undefined, next: () => string): string {
  if (kind === 'optional') return inline ?? '';
  if (kind !== 'switch') return inline ?? next();
  if (inline !== undefined && inline !== 'true' && inline !== 'false') throw new UsageProblem(`--${name} takes no value`);
  return inline ?? 'true';
}

/** `tls-cert` → `UNIVERSE_TLS_CERT` */
export const variableOf = (name: FlagName): string => `UNIVERSE_${name.toUpperCase().replaceAll('-', '_')}`;

/** What the environment says. `UNIVERSE_KUBERNETES=1` (or `true`) is the flag without a context; an empty variable says nothing. */
export function flagsOfEnvironment(env: Readonly<Record<string, string | undefined>>): GivenFlags {
  const given: Partial<Record<FlagName, readonly string[]>> = {};
  for (const name of flagNames) {
    const value = env[variableOf(name)];
    if (value === undefined || value === '') continue;
    const { kind }: Flag = flags[name];
    const on = value === '1' || value === 'true';
    const off = value === '0' || value === 'false';
    if (kind === 'list') given[name] = value.split(',');
    else if (kind === 'switch') given[name] = [String(on)];
    else if (kind === 'value') given[name] = [value];
    else if (!off) given[name] = [on ? '' : value];
  }
  return given;
}

/** Help for the flags, one a line. */
export function flagHelp(): string {
  const rows = flagNames.map((name) => {
    const { kind, placeholder, description }: Flag = flags[name];
    const value = placeholder === undefined ? '' : kind === 'optional' ? `[=${placeholder}]` : ` <${placeholder}>`;
    return [`  --${name}${value}`, description] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}\n`).join('');
}

import type { Clock, Random } from '@orrery/base';
import type { Paths } from './paths.ts';

/** One flag. Its long name is its key in {@link Command.options}. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** What a string option takes, as shown in help: `<name>`. */
  readonly placeholder?: string;
  /** Shown in help; the command applies it. */
  readonly default?: string;
  readonly description: string;
  /** Accepted values; anything else is a usage error, and completion offers them. */
  readonly choices?: readonly string[];
}

export interface Parsed {
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** What a command may touch of the world. Made once, in main.ts. */
export interface CliContext {
  readonly paths: Paths;
  readonly clock: Clock;
  readonly random: Random;
  readonly out: { write(text: string): void };
  readonly err: { write(text: string): void; readonly isTerminal: boolean };
  /** Reads one line from the terminal; undefined where there is none. */
  ask(question: string): Promise<string | undefined>;
  /** The program and its first arguments, to start this program again: `[node, orrery.cjs]`. */
  readonly self: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One verb of the CLI: `complete` resolves flags to options (throws UsageError), `run` never looks at flags or the environment. */
export interface Command<Options = unknown> {
  readonly name: string;
  readonly short: string;
  /** Positional arguments as help shows them. */
  readonly arguments?: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Command line and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Not shown in help: for Orrery's own use. */
  readonly hidden?: boolean;
  complete(parsed: Parsed, context: CliContext): Options;
  /** Resolves with the exit code. */
  run(options: Options, context: CliContext, signal: AbortSignal): Promise<number>;
}

/** The command line was wrong: exit code 2, with a pointer to `--help`. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something an operator can mend: exit code 1, the message alone, no stack. It says what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/** Keeps the type of each command's options private to it. */
export function defineCommand<Options>(command: Command<Options>): Command {
  return {
    ...command,
    run: (options, context, signal) => command.run(options as Options, context, signal),
  };
}

export const exitCodes = { ok: 0, failure: 1, usage: 2, notRunning: 3, interrupted: 130 } as const;

/** Every command that works on one cluster takes this. */
export const nameOption: OptionSpec = {
  type: 'string',
  short: 'n',
  placeholder: '<cluster>',
  default: 'default',
  description: 'cluster to work on',
};

export function clusterNameOf({ flags }: Parsed): string {
  const name = stringFlag(flags['name']) ?? 'default';
  // A folder and a kubeconfig context carry the name.
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
    throw new UsageError(
      `--name ${JSON.stringify(name)}: a cluster name must consist of at most 63 lower case letters, digits or '-', and must start and end with a letter or digit`,
    );
  }
  return name;
}

export function stringFlag(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function noArguments({ positionals }: Parsed): void {
  if (positionals.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(positionals[0])}`);
}

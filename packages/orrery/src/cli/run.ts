import { commands } from '../cmd/commands.ts';
import { type CliContext, exitCodes, UsageError } from './command.ts';
import { commandHelp, rootHelp } from './help.ts';
import { operatingError } from './operating-errors.ts';
import { parseCommandLine } from './parse.ts';

/**
 * Runs one command line and resolves with its exit code.
 *
 * Errors end here: a wrong command line and what an operator can mend are told in one line; anything else is a bug of ours and
 * shows its stack.
 */
export async function runCli(argv: readonly string[], context: CliContext, signal: AbortSignal): Promise<number> {
  const [verb, ...rest] = argv;
  if (verb === undefined || verb === 'help' || verb === '--help' || verb === '-h') {
    const topic = commands.find(({ name }) => name === rest[0]);
    context.out.write(topic === undefined ? rootHelp(commands) : commandHelp(topic));
    return verb === undefined ? exitCodes.usage : exitCodes.ok;
  }
  if (verb === '--version' || verb === '-v') return runCli(['version'], context, signal);
  const command = commands.find(({ name }) => name === verb);
  if (command === undefined) {
    context.err.write(`orrery: unknown command ${JSON.stringify(verb)}; "orrery --help" lists them\n`);
    return exitCodes.usage;
  }
  try {
    const parsed = parseCommandLine(command, rest);
    if (parsed.help) {
      context.out.write(commandHelp(command));
      return exitCodes.ok;
    }
    return await command.run(command.complete(parsed, context), context, signal);
  } catch (err) {
    return reportError(err, verb, context, signal);
  }
}

function reportError(err: unknown, verb: string, { err: stderr }: CliContext, signal: AbortSignal): number {
  if (err instanceof UsageError) {
    stderr.write(`orrery ${verb}: ${err.message}\nSee "orrery ${verb} --help".\n`);
    return exitCodes.usage;
  }
  if (signal.aborted) return exitCodes.interrupted;
  const mendable = operatingError(err);
  if (mendable !== undefined) {
    stderr.write(`orrery ${verb}: ${mendable.message}\n`);
    return exitCodes.failure;
  }
  stderr.write(`orrery ${verb}: unexpected error, please report it\n${err instanceof Error ? (err.stack ?? err.message) : String(err)}\n`);
  return exitCodes.failure;
}

import { parseArgs } from 'node:util';
import { type Command, type Parsed, UsageError } from './command.ts';

/** Splits a command's arguments by its option table. `--help` is known to every command. */
export function parseCommandLine(command: Command, argv: readonly string[]): Parsed & { readonly help: boolean } {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, short }]) => [name, { type, ...(short === undefined ? {} : { short }) }]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
    checkChoices(command, values as Parsed['flags']);
    return { flags: values as Parsed['flags'], positionals, help: values['help'] === true };
  } catch (err) {
    if (err instanceof UsageError) throw err;
    throw new UsageError(err instanceof Error ? (err.message.split('. ')[0] ?? err.message) : String(err), { cause: err });
  }
}

function checkChoices(command: Command, flags: Parsed['flags']): void {
  for (const [name, { choices }] of Object.entries(command.options)) {
    const value = flags[name];
    if (choices === undefined || typeof value !== 'string' || choices.includes(value)) continue;
    throw new UsageError(`--${name} ${JSON.stringify(value)}: must be one of ${choices.join(', ')}`);
  }
}

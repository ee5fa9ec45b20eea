import type { RunSummary } from '@orrery/universe/launcher';
import { CliError, defineCommand, exitCodes, UsageError } from '../cli/command.ts';
import { type Connection, connectionOf, connectionOptions, withConnection } from '../cli/connection.ts';

interface StopOptions {
  readonly connection: Connection;
  readonly names: readonly string[];
  /** Every run of a name that several have. */
  readonly every: boolean;
}

export const stopCommand = defineCommand<StopOptions>({
  name: 'stop',
  short: 'Stop programs that deployed themselves, and remove all of them from the cluster',
  arguments: '<name|id>...',
  options: { ...connectionOptions, all: { type: 'boolean', short: 'a', description: 'every run of the name, where there are several' } },
  examples: [
    ['orrery stop hello-universe', 'The one run of this name'],
    ['orrery stop k3x9a', 'By the id that "orrery ps" shows'],
    ['orrery stop --all hello-universe', 'Every run of this name'],
  ],
  complete(parsed, context) {
    if (parsed.positionals.length === 0) throw new UsageError('stop: expected a name or an id; "orrery ps" shows them');
    return { connection: connectionOf(parsed, context), names: parsed.positionals, every: parsed.flags['all'] === true };
  },
  async run({ connection, names, every }, context, signal) {
    const { listRuns, stopRun } = await import('@orrery/universe/launcher');
    const { clock, out } = context;
    await withConnection(connection, context, async (connected) => {
      const scope = { ...connected, clock, signal };
      const runs = await listRuns(scope);
      // All are known before the first is stopped: a mistyped name stops nothing.
      const chosen = [...new Set(names.flatMap((name) => chosenBy(name, runs, every)))];
      for (const run of chosen) {
        await stopRun(run, scope);
        out.write(`${run.app}-${run.id} stopped\n`);
      }
    });
    return exitCodes.ok;
  },
});

function chosenBy(name: string, runs: readonly RunSummary[], every: boolean): readonly RunSummary[] {
  const exact = runs.filter(({ app, id }) => id === name || `${app}-${id}` === name);
  const found = exact.length > 0 ? exact : runs.filter(({ app }) => app === name);
  if (found.length === 0) throw new CliError(`nothing called ${JSON.stringify(name)} runs here; "orrery ps -A" shows what runs`);
  if (found.length === 1 || every) return found;
  const ids = found.map(({ id, namespace }) => `${id} (in ${namespace})`).join(', ');
  throw new CliError(`${name} runs ${found.length} times: name one of ${ids}, or stop them with --all`);
}

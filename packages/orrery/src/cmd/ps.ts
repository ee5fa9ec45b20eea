import type { RunSummary } from '@orrery/universe/launcher';
import { defineCommand, exitCodes, noArguments, stringFlag } from '../cli/command.ts';
import { type Connection, connectionOf, connectionOptions, withConnection } from '../cli/connection.ts';
import { formatOutput, type OutputFormat, outputOption } from '../cli/output.ts';

interface PsOptions {
  readonly connection: Connection;
  readonly output: OutputFormat | undefined;
}

export const psCommand = defineCommand<PsOptions>({
  name: 'ps',
  short: 'List the programs that deployed themselves: what runs where',
  options: { ...connectionOptions, output: outputOption },
  examples: [
    ['orrery ps', "Runs in the context's namespace"],
    ['orrery ps -A -o json', 'Every namespace, for scripts'],
  ],
  complete(parsed, context) {
    noArguments(parsed);
    return { connection: connectionOf(parsed, context), output: stringFlag(parsed.flags['output']) as OutputFormat | undefined };
  },
  async run({ connection, output }, context, signal) {
    const { listRuns } = await import('@orrery/universe/launcher');
    const { clock, out } = context;
    await withConnection(connection, context, async (connected) => {
      const runs = await listRuns({ ...connected, clock, signal });
      out.write(await formatOutput({ runs }, output, () => tableOf(runs, clock.now())));
    });
    return exitCodes.ok;
  },
});

const launcher: Readonly<Record<RunSummary['heart'], string>> = { beating: 'alive', stopped: 'gone', none: 'not needed' };

function tableOf(runs: readonly RunSummary[], nowMs: number): string {
  if (runs.length === 0) return 'nothing runs\n';
  const rows = runs.map((run) => [
    run.app,
    run.id,
    run.namespace,
    `${run.pods.filter(({ ready }) => ready).length}/${run.pods.length}`,
    [...new Set(run.pods.map(({ node }) => node).filter((node) => node !== ''))].sort().join(',') || '-',
    launcher[run.heart],
    ageOf(nowMs - Date.parse(run.startedAt)),
    run.startedBy || '-',
    run.command || '-',
  ]);
  const all = [['NAME', 'ID', 'NAMESPACE', 'READY', 'NODES', 'LAUNCHER', 'AGE', 'STARTED BY', 'COMMAND'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ');
  return all.map((row) => `${line(row).trimEnd()}\n`).join('');
}

function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

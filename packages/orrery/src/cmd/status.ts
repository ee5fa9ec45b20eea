import { readdir } from 'node:fs/promises';
import {
  type CliContext,
  clusterNameOf,
  defineCommand,
  exitCodes,
  nameOption,
  noArguments,
  stringFlag,
  UsageError,
} from '../cli/command.ts';
import { formatOutput, type OutputFormat, outputOption } from '../cli/output.ts';
import { type ClusterStatus, statusOf } from '../cluster/status.ts';

interface StatusOptions {
  /** undefined: every cluster there is. */
  readonly name: string | undefined;
  readonly output: OutputFormat | undefined;
}

export const statusCommand = defineCommand<StatusOptions>({
  name: 'status',
  short: 'Show whether a cluster runs, where, and how its nodes and pods are',
  options: {
    name: nameOption,
    all: { type: 'boolean', short: 'a', description: 'every cluster on this machine' },
    output: outputOption,
  },
  examples: [
    ['orrery status', 'The default cluster; exit code 3 when it does not run'],
    ['orrery status --all -o json', 'Every cluster, for scripts'],
  ],
  complete(parsed) {
    noArguments(parsed);
    const all = parsed.flags['all'] === true;
    if (all && parsed.flags['name'] !== undefined) throw new UsageError('--all and --name may not be used together');
    return { name: all ? undefined : clusterNameOf(parsed), output: stringFlag(parsed.flags['output']) as OutputFormat | undefined };
  },
  async run({ name, output }, context, signal) {
    if (name === undefined) return showAll(output, context, signal);
    const status = await statusOf(name, context.paths.cluster(name), signal);
    context.out.write(await formatOutput(status, output, () => statusText(status)));
    return status.running ? exitCodes.ok : exitCodes.notRunning;
  },
});

async function showAll(output: OutputFormat | undefined, { paths, out }: CliContext, signal: AbortSignal): Promise<number> {
  const names = await readdir(paths.clusters).catch(() => []);
  const clusters: ClusterStatus[] = [];
  for (const name of names.sort()) clusters.push(await statusOf(name, paths.cluster(name), signal));
  const text = () => (clusters.length === 0 ? 'no clusters; start one with "orrery up"\n' : clusters.map(statusText).join('\n'));
  out.write(await formatOutput({ clusters }, output, text));
  return exitCodes.ok;
}

function statusText(status: ClusterStatus): string {
  const { name, data } = status;
  if (!status.running) return `cluster "${name}" is not running (data in ${data})\n`;
  if (status.apiServer === 'starting') return `cluster "${name}" is starting (pid ${status.pid})\n`;
  const nodes = status.nodes.map((node) => `  node ${node.name}: ${node.ready ? 'Ready' : 'NotReady'}, ${node.pods} pods\n`).join('');
  return `cluster "${name}" runs at ${status.url} since ${status.startedAt} (pid ${status.pid}, orrery ${status.version})
  API server: ${status.apiServer}
${nodes}  data: ${data}
  kubeconfig: ${status.kubeconfig}
`;
}

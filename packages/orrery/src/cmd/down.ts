import { clusterNameOf, defineCommand, exitCodes, nameOption, noArguments } from '../cli/command.ts';
import { stopCluster } from '../cluster/stop.ts';

export const downCommand = defineCommand<{ readonly name: string; readonly keepPods: boolean }>({
  name: 'down',
  short: 'Stop a cluster and its pods; its objects stay for the next "orrery up"',
  options: {
    name: nameOption,
    'keep-pods': { type: 'boolean', description: 'leave the pods running; the next "orrery up" adopts them' },
  },
  examples: [
    ['orrery down', 'Stop the default cluster'],
    ['orrery down --keep-pods && orrery up --detach', 'Restart Orrery under running pods'],
  ],
  complete(parsed) {
    noArguments(parsed);
    return { name: clusterNameOf(parsed), keepPods: parsed.flags['keep-pods'] === true };
  },
  async run({ name, keepPods }, context, signal) {
    const stopped = await stopCluster(name, { keepPods }, context, signal);
    context.out.write(stopped ? `cluster "${name}" stopped\n` : `cluster "${name}" was not running\n`);
    return exitCodes.ok;
  },
});

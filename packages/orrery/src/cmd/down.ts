import { defineCommand, exitCodes, noArguments } from '../cli/command.ts';
import { type Home, homeOf, homeOptions } from '../cli/home.ts';
import { stopHome } from '../cluster/stop.ts';

export const downCommand = defineCommand<{ readonly home: Home; readonly keepPods: boolean }>({
  name: 'down',
  short: 'Stop a cluster and its pods; its objects stay for the next "orrery up"',
  options: {
    ...homeOptions,
    'keep-pods': { type: 'boolean', description: 'leave the pods running; the next "orrery up" adopts them' },
  },
  examples: [
    ['orrery down', 'Stop the default cluster'],
    ['orrery down --keep-pods && orrery up --detach', 'Restart Orrery under running pods'],
  ],
  complete(parsed, { paths }) {
    noArguments(parsed);
    return { home: homeOf(parsed, paths), keepPods: parsed.flags['keep-pods'] === true };
  },
  async run({ home, keepPods }, context, signal) {
    const stopped = await stopHome(home, { keepPods }, context, signal);
    context.out.write(stopped ? `${home.label} stopped\n` : `${home.label} was not running\n`);
    return exitCodes.ok;
  },
});

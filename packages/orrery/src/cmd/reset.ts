import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { CliError, clusterNameOf, defineCommand, exitCodes, nameOption, noArguments } from '../cli/command.ts';
import { releaseNodeHost } from '../cluster/node-host.ts';
import { stopCluster } from '../cluster/stop.ts';
import { removeFromUserKubeconfig } from '../cluster/user-kubeconfig.ts';

export const resetCommand = defineCommand<{ readonly name: string; readonly yes: boolean }>({
  name: 'reset',
  short: 'Stop a cluster and delete everything it stored',
  options: {
    name: nameOption,
    yes: { type: 'boolean', short: 'y', description: 'do not ask' },
  },
  examples: [['orrery reset --name playground --yes', 'Throw a cluster away']],
  complete(parsed) {
    noArguments(parsed);
    return { name: clusterNameOf(parsed), yes: parsed.flags['yes'] === true };
  },
  async run({ name, yes }, context, signal) {
    const { data } = context.paths.cluster(name);
    if (!existsSync(data)) {
      context.out.write(`cluster "${name}" has no data: nothing to do\n`);
      return exitCodes.ok;
    }
    if (!yes) {
      const answer = await context.ask(`Delete cluster "${name}" with all its objects and volumes in ${data}? [y/N] `);
      if (answer === undefined) throw new CliError('this asks first, and there is no terminal to ask on: pass --yes');
      if (!/^y(es)?$/i.test(answer.trim())) {
        context.out.write('nothing was deleted\n');
        return exitCodes.failure;
      }
    }
    await stopCluster(name, { keepPods: false }, context, signal);
    await releaseNodeHost(context.paths.cluster(name));
    await rm(data, { recursive: true, force: true });
    await removeFromUserKubeconfig(context.paths.userKubeconfig, name, context.clock);
    context.out.write(`cluster "${name}" deleted\n`);
    return exitCodes.ok;
  },
});

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { CliError, defineCommand, exitCodes, noArguments } from '../cli/command.ts';
import { type Home, homeOf, homeOptions } from '../cli/home.ts';
import { releaseNodeHost } from '../cluster/node-host.ts';
import { deleteNodeFolder, isNodeFolder } from '../cluster/node-place.ts';
import { stopHome } from '../cluster/stop.ts';
import { removeFromUserKubeconfig } from '../cluster/user-kubeconfig.ts';
import { hasInnerFiles, runInside } from '../rootless/inner-commands.ts';

export const resetCommand = defineCommand<{ readonly home: Home; readonly yes: boolean }>({
  name: 'reset',
  short: 'Stop a cluster and delete everything it stored',
  options: {
    ...homeOptions,
    yes: { type: 'boolean', short: 'y', description: 'do not ask' },
  },
  examples: [['orrery reset --name playground --yes', 'Throw a cluster away']],
  complete(parsed, { paths }) {
    noArguments(parsed);
    return { home: homeOf(parsed, paths), yes: parsed.flags['yes'] === true };
  },
  async run({ home, yes }, context, signal) {
    const { label, cluster, paths } = home;
    const { data } = paths;
    if (!existsSync(data) || (cluster === undefined && !isNodeFolder(paths))) {
      context.out.write(`${label} has no data: nothing to do\n`);
      return exitCodes.ok;
    }
    if (!yes) {
      const answer = await context.ask(`Delete ${label} with all that it stores in ${data}? [y/N] `);
      if (answer === undefined) throw new CliError('this asks first, and there is no terminal to ask on: pass --yes');
      if (!/^y(es)?$/i.test(answer.trim())) {
        context.out.write('nothing was deleted\n');
        return exitCodes.failure;
      }
    }
    await stopHome(home, { keepPods: false }, context, signal);
    await releaseNodeHost(paths);
    if (cluster !== undefined && hasInnerFiles(paths)) await runInside(['rm', '-rf', '--', paths.node], paths, context, '/');
    await (cluster === undefined ? deleteNodeFolder(paths) : rm(data, { recursive: true, force: true }));
    if (cluster !== undefined) await removeFromUserKubeconfig(context.paths.userKubeconfig, cluster, context.clock);
    context.out.write(`${label} deleted\n`);
    return exitCodes.ok;
  },
});

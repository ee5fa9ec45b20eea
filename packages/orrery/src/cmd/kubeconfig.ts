import { readFile } from 'node:fs/promises';
import { CliError, clusterNameOf, defineCommand, exitCodes, nameOption, noArguments, UsageError } from '../cli/command.ts';
import { contextNameOf, mergeIntoUserKubeconfig } from '../cluster/user-kubeconfig.ts';

interface KubeconfigOptions {
  readonly name: string;
  readonly action: 'print' | 'path' | 'merge';
}

export const kubeconfigCommand = defineCommand<KubeconfigOptions>({
  name: 'kubeconfig',
  short: "Print a cluster's kubeconfig, or merge it into yours",
  options: {
    name: nameOption,
    path: { type: 'boolean', description: "print the file's path instead of its content" },
    merge: { type: 'boolean', description: 'add the cluster to your own kubeconfig and make it the current context' },
  },
  examples: [
    ['export KUBECONFIG=$(orrery kubeconfig --path)', 'Point this shell at the cluster'],
    ['orrery kubeconfig --merge', 'Add it to ~/.kube/config (or $KUBECONFIG)'],
  ],
  complete(parsed) {
    noArguments(parsed);
    const { path, merge } = parsed.flags;
    if (path === true && merge === true) throw new UsageError('--path and --merge may not be used together');
    return { name: clusterNameOf(parsed), action: path === true ? 'path' : merge === true ? 'merge' : 'print' };
  },
  async run({ name, action }, { paths, out, clock }) {
    const { kubeconfig } = paths.cluster(name);
    const content = await readFile(kubeconfig, 'utf8').catch((cause: unknown) => {
      throw new CliError(
        `cluster "${name}" has no kubeconfig at ${kubeconfig}: start it with "orrery up${name === 'default' ? '' : ` --name ${name}`}"`,
        { cause },
      );
    });
    if (action === 'print') out.write(content);
    if (action === 'path') out.write(`${kubeconfig}\n`);
    if (action === 'merge') {
      await mergeIntoUserKubeconfig(paths.userKubeconfig, kubeconfig, clock);
      out.write(`context "${contextNameOf(name)}" is now the current one in ${paths.userKubeconfig}\n`);
    }
    return exitCodes.ok;
  },
});

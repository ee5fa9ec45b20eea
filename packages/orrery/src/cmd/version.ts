import { defineCommand, exitCodes, noArguments, stringFlag } from '../cli/command.ts';
import { formatOutput, type OutputFormat, outputOption } from '../cli/output.ts';
import { kubernetesVersion, orreryVersion } from '../version.ts';

export const versionCommand = defineCommand<{ readonly output: OutputFormat | undefined }>({
  name: 'version',
  short: 'Print the version of Orrery and of the Kubernetes API it serves',
  options: { output: outputOption },
  examples: [
    ['orrery version', 'Versions, as text'],
    ['orrery version -o json', 'For scripts'],
  ],
  complete(parsed) {
    noArguments(parsed);
    return { output: stringFlag(parsed.flags['output']) as OutputFormat | undefined };
  },
  async run({ output }, { out }) {
    const value = { orrery: orreryVersion, kubernetes: kubernetesVersion, node: process.version };
    out.write(await formatOutput(value, output, () => `orrery ${value.orrery}\nkubernetes ${value.kubernetes}\nnode ${value.node}\n`));
    return exitCodes.ok;
  },
});

import { clusterNameOf, defineCommand, exitCodes, nameOption, noArguments, stringFlag, UsageError } from '../cli/command.ts';
import { BACKGROUND, upDetached } from '../cluster/detached.ts';
import { up } from '../rootless/up.ts';
import { limitOptions, limitsOf, type NodeLimits } from './node-limits.ts';

export interface UpOptions extends NodeLimits {
  readonly name: string;
  readonly detach: boolean;
  /** This is the process that a detached start has left behind: nobody sits before it. */
  readonly background: boolean;
  readonly mergeKubeconfig: boolean;
  /** Address the API server listens on. */
  readonly host: string;
  /** undefined: the one used last, or 6443, or any free one. */
  readonly port: number | undefined;
  readonly nodeName: string | undefined;
  /** `process`, `oci`, `crun`, `runc`, the path of one, or `unix://…`; undefined: the best one that works. */
  readonly runtime: string | undefined;
  /** Path of a registries file. */
  readonly registries: string | undefined;
  /** Path of an image map for the process driver. */
  readonly imageMap: string | undefined;
}

export const upCommand = defineCommand<UpOptions>({
  name: 'up',
  short: 'Start a cluster: store, API server, controllers, scheduler and a node, in one process',
  options: {
    name: nameOption,
    detach: { type: 'boolean', short: 'd', description: 'return when the cluster is ready; it runs on in the background' },
    'merge-kubeconfig': { type: 'boolean', description: 'add the cluster to your own kubeconfig and make it the current context' },
    host: { type: 'string', placeholder: '<address>', default: '127.0.0.1', description: 'address the API server listens on' },
    port: {
      type: 'string',
      short: 'p',
      placeholder: '<port>',
      description: 'port of the API server [default: the last one, or 6443, or any free one]',
    },
    'node-name': { type: 'string', placeholder: '<name>', description: "name of this machine's node [default: its host name]" },
    runtime: {
      type: 'string',
      placeholder: '<driver>',
      description:
        'what runs containers: oci (crun or runc), crun, runc, process, or unix:///path/of/a/cri.sock [default: oci where it works, else process]',
    },
    ...limitOptions,
    registries: { type: 'string', placeholder: '<file>', description: 'YAML file with mirrors, credentials and TLS of image registries' },
    'image-map': { type: 'string', placeholder: '<file>', description: 'YAML file that maps images to host commands (process driver)' },
  },
  examples: [
    ['orrery up', 'In the foreground, until Ctrl+C'],
    ['orrery up --detach --merge-kubeconfig', 'In the background; plain kubectl works at once'],
    ['orrery up --name second --port 7443', 'A second cluster beside the first'],
  ],
  complete(parsed, { env }) {
    noArguments(parsed);
    const port = stringFlag(parsed.flags['port']);
    if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= 65535))
      throw new UsageError(`--port ${JSON.stringify(port)}: must be a number from 0 to 65535`);
    return {
      name: clusterNameOf(parsed),
      detach: parsed.flags['detach'] === true,
      background: env[BACKGROUND] === '1',
      mergeKubeconfig: parsed.flags['merge-kubeconfig'] === true,
      host: stringFlag(parsed.flags['host']) ?? '127.0.0.1',
      port: port === undefined ? undefined : Number(port),
      nodeName: stringFlag(parsed.flags['node-name']),
      runtime: stringFlag(parsed.flags['runtime']),
      ...limitsOf(parsed),
      registries: stringFlag(parsed.flags['registries']),
      imageMap: stringFlag(parsed.flags['image-map']),
    };
  },
  async run(options, context, signal) {
    if (options.detach) await upDetached(options, context, signal);
    else return up(options, context, signal);
    return exitCodes.ok;
  },
});

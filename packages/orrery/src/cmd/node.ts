import { hostname } from 'node:os';
import { type CliContext, type Command, defineCommand, exitCodes, noArguments, stringFlag, UsageError } from '../cli/command.ts';
import { type Home, joinedNodeHome } from '../cli/home.ts';
import { nodeNameOf } from '../cluster/hosts.ts';
import { limitOptions, limitsOf, type NodeLimits } from './node-limits.ts';

/** What a machine that joins was told. */
export interface NodeCommandOptions extends NodeLimits {
  /** URL of the API server. */
  readonly server: string;
  /** Not needed when the machine has joined before. */
  readonly token: string | undefined;
  /** `sha256:<hex>` */
  readonly caHash: string;
  readonly nodeName: string;
  /** Where the node keeps everything. */
  readonly home: Home;
  /** Where the API server and other nodes reach this one; undefined: the address by which this machine reaches the server. */
  readonly address: string | undefined;
  /** As in `orrery up`. */
  readonly runtime: string | undefined;
  readonly registries: string | undefined;
  readonly imageMap: string | undefined;
}

/** Runs a node until `signal` aborts. */
export type RunNode = (options: NodeCommandOptions, context: CliContext, signal: AbortSignal) => Promise<void>;

/** Makes this machine a node of a cluster that runs elsewhere. */
export function newNodeCommand(runNode: RunNode): Command {
  return defineCommand<NodeCommandOptions>({
    name: 'node',
    short: 'Join a cluster that runs on another machine, as a node',
    options: {
      server: { type: 'string', placeholder: '<url>', description: 'the API server, as https://192.0.2.1:6443' },
      token: { type: 'string', placeholder: '<token>', description: 'of "orrery token create"; needed once' },
      'ca-hash': { type: 'string', placeholder: '<hash>', description: "sha256:<hex> of the public key of the cluster's authority" },
      'node-name': { type: 'string', placeholder: '<name>', description: "name of this machine's node [default: its host name]" },
      address: {
        type: 'string',
        placeholder: '<address>',
        description: 'address of this machine for the cluster [default: the one by which it reaches the API server]',
      },
      'data-dir': { type: 'string', placeholder: '<dir>', description: 'folder of the node [default: beside the clusters of this user]' },
      runtime: { type: 'string', placeholder: '<driver>', description: 'what runs containers, as in "orrery up"' },
      ...limitOptions,
      registries: { type: 'string', placeholder: '<file>', description: 'YAML file with mirrors, credentials and TLS of image registries' },
      'image-map': { type: 'string', placeholder: '<file>', description: 'YAML file that maps images to host commands (process driver)' },
    },
    examples: [['orrery node --server https://192.0.2.1:6443 --token abcdef.0123456789abcdef --ca-hash sha256:…', 'Join']],
    complete(parsed, { paths }) {
      noArguments(parsed);
      const flag = (name: string): string | undefined => stringFlag(parsed.flags[name]);
      const server = serverOf(flag('server'));
      const caHash = flag('ca-hash') ?? '';
      if (!/^sha256:[0-9a-f]{64}$/i.test(caHash)) {
        throw new UsageError('--ca-hash: must be sha256: and 64 hexadecimal digits; "orrery token create --print-join-command" tells it');
      }
      const nodeName = nodeNameOf(flag('node-name') ?? hostname());
      return {
        server,
        token: flag('token'),
        caHash,
        nodeName,
        home: joinedNodeHome(nodeName, flag('data-dir'), paths),
        address: flag('address'),
        runtime: flag('runtime'),
        ...limitsOf(parsed),
        registries: flag('registries'),
        imageMap: flag('image-map'),
      };
    },
    async run(options, context, signal) {
      await runNode(options, context, signal);
      return exitCodes.ok;
    },
  });
}

function serverOf(text: string | undefined): string {
  if (text === undefined) throw new UsageError('--server: the URL of the API server is needed');
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:') {
    throw new UsageError(`--server ${JSON.stringify(text)}: must be a URL as https://192.0.2.1:6443`);
  }
  return text.replace(/\/+$/, '');
}

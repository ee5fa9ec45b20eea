import { type OptionSpec, type Parsed, stringFlag, UsageError } from '../cli/command.ts';

/** What a node takes at most. */
export interface NodeLimits {
  /** Pods of the node; undefined: 110. Source: KubeletConfiguration.maxPods. */
  readonly maxPods: number | undefined;
  /** Processes and threads of one pod, where control groups can be written; undefined: no limit. Source: KubeletConfiguration.podPidsLimit. */
  readonly podMaxPids: number | undefined;
}

/** Addresses of a /24, which is a node's part of the pods' range, without its own, the gateway's and the broadcast address. */
const PODS_MAX = 253;

export const limitOptions: Readonly<Record<'max-pods' | 'pod-max-pids', OptionSpec>> = {
  'max-pods': { type: 'string', placeholder: '<number>', description: `pods of this node at most, from 1 to ${PODS_MAX} [default: 110]` },
  'pod-max-pids': {
    type: 'string',
    placeholder: '<number>',
    description: 'processes and threads of one pod at most [default: as many as the machine has]',
  },
};

/** @throws {UsageError} */
export function limitsOf({ flags }: Parsed): NodeLimits {
  const podMaxPids = stringFlag(flags['pod-max-pids']);
  return {
    maxPods: integerOf('max-pods', stringFlag(flags['max-pods']), PODS_MAX),
    podMaxPids: podMaxPids === '-1' ? undefined : integerOf('pod-max-pids', podMaxPids), // -1 is how upstream's kubelet says "no limit".
  };
}

/** The same as arguments of `orrery up`. */
export const limitArguments = ({ maxPods, podMaxPids }: NodeLimits): readonly string[] => [
  ...(maxPods === undefined ? [] : [`--max-pods=${maxPods}`]),
  ...(podMaxPids === undefined ? [] : [`--pod-max-pids=${podMaxPids}`]),
];

function integerOf(name: string, text: string | undefined, max = Number.MAX_SAFE_INTEGER): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? 'greater than or equal to 1' : `from 1 to ${max}`;
  throw new UsageError(`--${name} ${JSON.stringify(text)}: must be an integer ${range}`);
}

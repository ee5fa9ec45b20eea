import type { Clock, Random } from '@orrery/base';
import { type PodNetwork, RuntimeError } from '@orrery/cri';
import type { Container } from './container/container.ts';
import type { EventHub } from './events.ts';
import type { Helper } from './host/helper.ts';
import type { Host } from './host/host.ts';
import type { ImageStore } from './images/image-store.ts';
import type { ContainerRecord, Records, SandboxRecord } from './records.ts';

/** What all calls of one driver share. Owner of the maps: the driver. Their values are replaced whole on change. */
export interface State {
  readonly directory: string;
  /** Where the OCI runtime keeps its own. */
  readonly stateDirectory: string;
  readonly exitsDirectory: string;
  /** An empty file, over which the runtime's program is mounted read-only where containers start. Undefined where that is not possible. */
  readonly sealedRuntime: string | undefined;
  /** Of control groups for sandboxes that name none. */
  readonly cgroupRoot: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly host: Host;
  readonly helper: Helper;
  readonly network: PodNetwork;
  /** Shown for pods on the host's network. */
  readonly hostAddresses: readonly string[];
  readonly hostname: string;
  readonly images: ImageStore;
  readonly events: EventHub;
  /**
   * Where root file systems are mounted that users of a pod's own must reach: every folder above it can be searched by all. Undefined where
   * this machine cannot give pods users of their own.
   */
  readonly userRoots: string | undefined;
  readonly sandboxRecords: Records<SandboxRecord>;
  readonly containerRecords: Records<ContainerRecord>;
  readonly sandboxes: Map<string, SandboxRecord>;
  readonly containers: Map<string, Container>;
}

export function sandboxOf({ sandboxes }: State, id = ''): SandboxRecord {
  const sandbox = sandboxes.get(id);
  if (sandbox === undefined || sandbox.phase === 'making') throw new RuntimeError('NOT_FOUND', `pod sandbox "${id}" not found`);
  return sandbox;
}

export function containerOf({ containers }: State, id = ''): Container {
  const container = containers.get(id);
  if (container === undefined || container.record.internal === true) throw new RuntimeError('NOT_FOUND', `container "${id}" not found`);
  return container;
}

/** Those that clients see. */
export const visibleContainers = ({ containers }: State): readonly Container[] =>
  [...containers.values()].filter(({ record }) => record.internal !== true);

export const newId = (random: Random): string => Buffer.from(random.bytes(32)).toString('hex'); // As containerd's: 64 hexadecimal digits.

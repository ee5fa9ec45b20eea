export interface IdMapping {
  readonly containerId: number;
  readonly hostId: number;
  readonly length: number;
}

export interface SnapshotOptions {
  /** No writable layer: what is written fails. For image volumes. @default false */
  readonly readOnly?: boolean | undefined;
  /** Ids of a user namespace: the files are owned by the mapped ids. @default the ids of the image */
  readonly uidMappings?: readonly IdMapping[] | undefined;
  readonly gidMappings?: readonly IdMapping[] | undefined;
}

/** The id outside of one inside; what is not mapped belongs to nobody. */
export function hostIdOf(id: number, mappings: readonly IdMapping[]): number {
  const within = (wanted: number): number | undefined => {
    const found = mappings.find(({ containerId, length }) => wanted >= containerId && wanted < containerId + length);
    return found === undefined ? undefined : found.hostId + wanted - found.containerId;
  };
  return within(id) ?? within(OVERFLOW_ID) ?? OVERFLOW_ID;
}

const OVERFLOW_ID = 65534; // The kernel's own nobody.

/** Where a container's root file system is, and how it is mounted there. */
export interface ContainerSnapshot {
  /** Absolute. Exists and is empty until mounted. */
  readonly rootfs: string;
  /** `mount -t <type> -o <options> <source> <rootfs>`, run in `directory`: the options name layers by paths relative to it. */
  readonly mount: {
    readonly type: 'overlay' | 'bind';
    readonly source: string;
    readonly options: string;
    readonly directory: string;
  };
  /** The host directory of what the container writes; absent for read-only ones. */
  readonly upper?: string | undefined;
}

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

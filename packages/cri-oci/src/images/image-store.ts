import type { Readable } from 'node:stream';
import type { Clock, Random } from '@orrery/base';
import type { AuthConfig, PodSandboxConfig } from '@orrery/cri';
import type { ImageRecord } from './image-record.ts';
import type { Platform } from './platform.ts';
import type { Registries } from './registries.ts';
import type { ContainerSnapshot, SnapshotOptions } from './snapshots.ts';

export interface PullProgress {
  /** Compressed bytes that have arrived, of all layers. */
  readonly bytesDone: number;
  /** Compressed bytes of all layers that are not there yet, as the manifest tells. */
  readonly bytesTotal: number;
}

export interface PullRequest {
  /** As the pod names it: `busybox`, `ghcr.io/org/app:1`, `name@sha256:…`. */
  readonly reference: string;
  /** A pull secret; the credentials of the registries configuration otherwise. */
  readonly auth?: AuthConfig | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  /** Whom the pull is for; of no effect here. */
  readonly sandbox?: PodSandboxConfig | undefined;
}

export interface ImageFsInfo {
  readonly mountpoint: string;
  readonly usedBytes: number;
  readonly inodesUsed: number;
}

/**
 * Images of one node, on disk. Several processes may use one directory: all that is there is complete, and what one adds
 * the others see at their next call. Errors are `RuntimeError`s.
 */
export interface ImageStore {
  /** By `name:tag`, `name@digest`, image id (with or without `sha256:`, or an unambiguous start of at least 12 digits) or digest. */
  resolve(reference: string): ImageRecord | undefined;
  /** In the order of their ids. */
  list(): readonly ImageRecord[];
  /** Resolves once every layer is unpacked. Concurrent pulls share what they have in common. */
  pull(request: PullRequest): Promise<ImageRecord>;
  /**
   * Forgets a name, or with an id the whole image; an image goes with its last name. What a container still uses stays until
   * the container goes. Unknown images are no error.
   */
  remove(reference: string): Promise<void>;
  /** Adds the images of a `docker save` archive or an OCI layout: a tar (gzip and zstd are seen), or a directory. */
  load(source: Readable | string, options?: LoadOptions): Promise<readonly ImageRecord[]>;
  /** Keeps an image from collection, or no longer. */
  pin(reference: string, pinned: boolean): Promise<void>;
  /** What images occupy, and where. Snapshots of containers do not count. */
  fsInfo(): Promise<ImageFsInfo>;
  /** A writable root file system for a container. Idempotent; what the id had is kept. The caller mounts it. */
  snapshot(containerId: string, image: ImageRecord, options?: SnapshotOptions): Promise<ContainerSnapshot>;
  /** Unmounts (in this process's mount namespace) and deletes. Idempotent. */
  releaseSnapshot(containerId: string): Promise<void>;
  /** Bytes and inodes of a container's writable layer. Unknown ids use none. */
  snapshotUsage(containerId: string): Promise<{ readonly usedBytes: number; readonly inodesUsed: number }>;
  /** After a restart: releases every snapshot whose container is not among `containerIds`. */
  retain(containerIds: ReadonlySet<string>): Promise<void>;
  /** What this machine lacks, for the user; empty when all is there. */
  readonly notes: readonly string[];
  /** Waits for what runs in the background. The directory stays valid without it. */
  close(): Promise<void>;
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Names to give instead of the archive's own; only for an archive of one image. */
  readonly references?: readonly string[] | undefined;
}

export interface ImageStoreOptions {
  /** Made when missing. Should lie on a file system that overlayfs can have its upper directory on. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Mirrors, credentials and TLS of registries. @default none: HTTPS to each image's own registry */
  readonly registries?: Registries | undefined;
  /** Chosen from indexes. @default this machine's */
  readonly platform?: Platform | undefined;
  readonly log?: ImageLog | undefined;
}

/** What the store says to operators. A `Logger` of `@orrery/component` is one. */
export interface ImageLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

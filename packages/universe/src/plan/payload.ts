/** What starts in the pod: this package's bootstrap under Node, or under a shell for images that have none. */
export type Starter = 'node' | 'shell';

/** Machine that the code was built for, in Kubernetes' words. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
}

/** Code as it travels: an archive, named by its content. */
export interface Payload {
  readonly starter: Starter;
  /** SHA-256 of `packed`, in hex. */
  readonly hash: string;
  /** The compressed archive. */
  readonly packed: Uint8Array;
  /** Bytes before compression. */
  readonly unpackedBytes: number;
  /** File to start, relative to the archive's root. */
  readonly entry: string;
  /** Program that runs `entry`, as `python3`. @default none: the file itself, or Node */
  readonly interpreter?: string;
  /** Set where the code holds machine code: its pods need such a node. */
  readonly platform: Platform | undefined;
}

/** ConfigMaps hold at most 1 MiB each; some is left for keys and the bootstrap. */
export const PART_BYTES_MAX = 960 * 1024;
/** Up to here the code travels in ConfigMaps; beyond, it is streamed into each pod. */
export const CONFIG_MAP_BYTES_MAX = 4 * PART_BYTES_MAX;

export const isStreamed = ({ packed }: Pick<Payload, 'packed'>): boolean => packed.length > CONFIG_MAP_BYTES_MAX;

/** The packed code in pieces that a ConfigMap can hold; at least one. */
export function partsOf(packed: Uint8Array): Uint8Array[] {
  const count = Math.max(1, Math.ceil(packed.length / PART_BYTES_MAX));
  return Array.from({ length: count }, (_, index) => packed.subarray(index * PART_BYTES_MAX, (index + 1) * PART_BYTES_MAX));
}

/** The part of an OCI image configuration (`config`) that starts a container. Spelled as the image specification has it. */
export interface ImageConfig {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly ExposedPorts?: Readonly<Record<string, unknown>>;
  readonly Volumes?: Readonly<Record<string, unknown>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

/** An image whose layers all lie unpacked in the store. */
export interface ImageRecord {
  /** `sha256:<hex>` of the image configuration. */
  readonly id: string;
  /** Full names with a tag (`docker.io/library/busybox:1.36`). */
  readonly repoTags: readonly string[];
  /** Full names with the digest of the manifest or index that the name led to. */
  readonly repoDigests: readonly string[];
  /** Bytes of configuration and unpacked layers. */
  readonly sizeBytes: number;
  readonly config: ImageConfig;
  /** Chain ids (`sha256:<hex>`) of the layers, lowest first. */
  readonly layers: readonly string[];
  /** Never collected. */
  readonly pinned: boolean;
}

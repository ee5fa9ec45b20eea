/** Where images come from, parsed and checked: {@link parseRegistries}. */
export interface Registries {
  /** By registry host as image names have it (`docker.io`, `ghcr.io`, `registry.local:5000`), `*` for all others. */
  readonly mirrors: ReadonlyMap<string, RegistryMirror>;
  /** By host (with port) of an endpoint, `*` for all others. */
  readonly configs: ReadonlyMap<string, RegistryHostConfig>;
}

export interface RegistryMirror {
  /** Tried in order; the registry's own host comes last. */
  readonly endpoints: readonly URL[];
  /** Applied to the repository path at a mirror: the first pattern that matches. */
  readonly rewrites: readonly { readonly pattern: RegExp; readonly replacement: string }[];
}

export interface RegistryHostConfig {
  /** A connection without a byte for so long is given up. @default 30000 */
  readonly stallTimeoutMs?: number | undefined;
  readonly auth?:
    | { readonly username?: string; readonly password?: string; readonly auth?: string; readonly identityToken?: string }
    | undefined;
  readonly tls?:
    | { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string; readonly insecureSkipVerify?: boolean }
    | undefined;
}

export const noRegistries: Registries = { mirrors: new Map(), configs: new Map() };

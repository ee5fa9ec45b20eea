/** A port of the host that leads into a pod. */
export interface HostPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly hostPort: number;
  readonly containerPort: number;
  /** Empty: every address of the host. */
  readonly hostIp: string;
}

/** A pod sandbox that is to be joined to the network. */
export interface NetworkRequest {
  /** Names the sandbox: `[A-Za-z0-9_.-]{1,128}`, unique on this machine while it exists. */
  readonly sandboxId: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly hostPorts: readonly HostPort[];
  readonly annotations: Readonly<Record<string, string>>;
  /** A process whose network namespace is taken; it may end afterwards. @default a new namespace, owned by the host's users */
  readonly netnsOf?: number;
}

export interface PodAttachment {
  /** A network namespace that stays while the sandbox does: a path that `nsenter --net=` takes. */
  readonly netnsPath: string;
  /** First the one of the node's main family. Never empty. */
  readonly addresses: readonly string[];
}

/**
 * What a driver that makes its own sandboxes asks of the network: a network namespace with an address in it. Sandboxes on the host's
 * network never come here. Many calls may be under way at once; implementations join them into batches.
 */
export interface PodNetwork {
  /**
   * Makes the namespace with its loopback device up, and joins it. Calling it again for the same sandbox gives the same attachment.
   * When it throws, nothing stays behind.
   */
  attach(request: NetworkRequest): Promise<PodAttachment>;
  /** Frees everything that {@link attach} made, also half of it, also after a restart of the agent. Idempotent. */
  detach(sandboxId: string): Promise<void>;
  /** Ends what belongs to no sandbox that is still there: called once when a driver starts. */
  retain(sandboxIds: ReadonlySet<string>): Promise<void>;
  /** Why pods cannot be joined now, for the node's NetworkUnavailable/Ready conditions; undefined when they can. */
  problem(): string | undefined;
}

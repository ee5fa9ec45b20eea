/** Where a server listens. */
export interface ListenAddress {
  /** An IP address of this machine. */
  readonly address: string;
  /** 0: any free one, the same for UDP and TCP. */
  readonly port: number;
}

/** A server that runs. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

import type { UserInfo } from '../../definition.ts';

/** A request to be passed on to something that runs in the cluster: a container's logs, exec, a port, a web server. */
export interface ConnectRequest {
  readonly user: UserInfo;
  readonly method: string;
  /** Undefined for cluster-scoped resources. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** What follows the subresource, percent-encoded as it came, with its leading slash; empty for nothing. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Without `?`; empty for none. */
  readonly rawQuery: string;
  /** The client asks for a WebSocket. */
  readonly upgrade: boolean;
}

/** Where a request goes. */
export interface ConnectTarget {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Path and query as the target gets them. */
  readonly path: string;
  /** Own identity and what to trust, for https. */
  readonly tls?: {
    readonly ca?: string | readonly string[];
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    /** @default true */
    readonly rejectUnauthorized?: boolean;
  };
  /** Set on the way, replacing the client's. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * `raw`: the target's answers go to the client as they are (proxies).
   * `status`: its errors become Status objects about the resource (logs, exec). @default 'raw'
   */
  readonly errors?: 'raw' | 'status';
  /** Absolute links and redirects in the answer are moved below this path, without a slash at its end. Absent: left alone. */
  readonly rewriteBelow?: string;
}

/** Says where the requests of one subresource go. The generic server knows no kind; who composes it brings these. */
export interface Connector {
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  readonly subresource: string;
  /** HTTP methods. Others get 405. */
  readonly methods: readonly string[];
  /** Rejects with a StatusError: no such object, container not running, unknown option. */
  connect(request: ConnectRequest, signal: AbortSignal): Promise<ConnectTarget>;
}

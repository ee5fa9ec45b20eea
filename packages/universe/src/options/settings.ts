/** How a Service is reached from outside of the launcher's port-forward. */
export type Exposure = 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'Ingress';

export interface PortSetting {
  /** Where the program listens, in the pod. */
  readonly port: number;
  /** Where it is forwarded to on this machine; 0 takes any free port. @default `port`, or any free port where that is taken */
  readonly local: number | undefined;
}

export interface AutoscaleSetting {
  readonly min: number;
  readonly max: number;
  /** Average use that is aimed at, in percent of the request. */
  readonly cpuPercent: number;
}

export interface ClusterSetting {
  /** Context of the kubeconfig; empty for the current one. */
  readonly context: string;
  /** Share of the replicas, against the other clusters' weights. Greater than 0. */
  readonly weight: number;
}

/** What the program may say about itself in code. Flags and the environment win over it. */
export interface UniverseOptions {
  /** Name of the application: lower case letters, digits and `-`. @default from package.json, else the entry's file name */
  readonly name?: string;
  /** Where the program listens. The first is `PORT` in the pod. @default [] */
  readonly ports?: readonly number[];
  /** @default 1 */
  readonly replicas?: number;
  /** Request and limit of each pod, as `500m`. @default neither */
  readonly cpu?: string;
  /** Request and limit of each pod, as `256Mi`. @default neither */
  readonly memory?: string;
  /** @default the context's */
  readonly namespace?: string;
  /** Environment of the program in the pod. @default {} */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of variables of this environment that travel as a Secret. @default [] */
  readonly secrets?: readonly string[];
  /** Files and folders beside the code that the program reads, relative to its package; a folder with all below it. @default [] */
  readonly files?: readonly string[];
  /** Runs once, to its end; its exit code becomes the launcher's. @default false */
  readonly job?: boolean;
  /** @default 'ClusterIP' */
  readonly expose?: Exposure;
  /** Image that the code runs on; it must have `node`. @default `node:<major>-slim` of this Node's major */
  readonly image?: string;
  /** File that the program starts from. @default the running program */
  readonly entry?: string;
}

/** Everything decided: code, environment and flags in one. */
export interface Settings {
  readonly name: string;
  readonly ports: readonly PortSetting[];
  readonly replicas: number;
  readonly cpu: string | undefined;
  readonly memory: string | undefined;
  readonly namespace: string | undefined;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Files, relative to the working directory or absolute. */
  readonly config: readonly string[];
  readonly files: readonly string[];
  readonly expose: Exposure;
  /** Host name of the Ingress. */
  readonly host: string | undefined;
  readonly autoscale: AutoscaleSetting | undefined;
  readonly job: boolean;
  /** At least one. */
  readonly clusters: readonly ClusterSetting[];
  readonly detach: boolean;
  readonly keep: boolean;
  readonly watch: boolean;
  /** Port of the debugger, here and in the pod. */
  readonly inspect: number | undefined;
  readonly dashboard: boolean;
  readonly dryRun: boolean;
  readonly output: 'yaml' | 'json';
  readonly image: string | undefined;
  /** Longest time until every pod is ready; for jobs until the end. @default 300_000, for jobs none */
  readonly timeoutMs: number | undefined;
  /** Only lines that match are shown. */
  readonly grep: RegExp | undefined;
  /** What the program itself is given. */
  readonly args: readonly string[];
}

/** The command line or the options in code are wrong. The message is for the user, without a stack. */
export class UsageProblem extends Error {
  override readonly name = 'UsageProblem';
}

/** Something that the user can mend: the message says what is wrong and, where known, what to do. */
export class LaunchProblem extends Error {
  override readonly name = 'LaunchProblem';
}

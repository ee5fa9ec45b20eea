/** One number that a line prints. */
export interface Figure {
  readonly name: string;
  /** `ms`, `MB`, `% of a core`, `/s`, … */
  readonly unit: string;
  /** The number to reach; absent where there is none. */
  readonly reach?: { readonly atMost: number } | { readonly atLeast: number };
  /** Printed for one sample array: its median, or the given percentile. @default 0.5 */
  readonly percentile?: number;
}

export interface MeasureContext {
  /** Fewer rounds, smaller numbers of objects where that keeps the meaning. */
  readonly quick: boolean;
  /** An empty directory of this run; removed afterwards. */
  readonly directory: string;
  /** Aborts when the run's time is over. */
  readonly signal: AbortSignal;
  /** Runs a peer (see peers.ts) in a process of its own and returns what it returns. */
  peer(name: string, options: unknown): Promise<unknown>;
}

/** Samples of one run by figure. Samples of all runs are pooled. */
export type Samples = Readonly<Record<string, readonly number[]>>;

/** One line of the table of numbers. A run is one child process. */
export interface Line {
  /** For `--only`: kebab-case. */
  readonly name: string;
  readonly what: string;
  /** How it is measured, in a sentence or two. */
  readonly method: string;
  readonly figures: readonly Figure[];
  readonly runs: { readonly full: number; readonly quick: number };
  /** One run, clean-up included, may take so long. */
  readonly timeoutMs: number;
  measure(context: MeasureContext): Promise<Samples>;
}

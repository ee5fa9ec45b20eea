/**
 * What a plugin says about a pod. `Unschedulable`: not here, but preemption may help. `UnschedulableAndUnresolvable`: removing pods cannot
 * help. `Pending`: not yet, and the plugin will say when. `Skip`: this plugin has nothing to say about this pod. `Wait`: permit later.
 */
export type StatusCode = 'Success' | 'Error' | 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Wait' | 'Skip' | 'Pending';

export interface Status {
  readonly code: StatusCode;
  /** Shown to people: counted over nodes, so constant where possible. */
  readonly reasons: readonly string[];
  /** Behind an `Error`. */
  readonly error?: unknown;
}

/** Plugins answer undefined for success: the most frequent answer costs nothing. */
export type Verdict = Status | undefined;

export const unschedulable = (...reasons: readonly string[]): Status => ({ code: 'Unschedulable', reasons });
export const unresolvable = (...reasons: readonly string[]): Status => ({ code: 'UnschedulableAndUnresolvable', reasons });
export const skip: Status = { code: 'Skip', reasons: [] };
export const errorStatus = (error: unknown): Status => ({
  code: 'Error',
  reasons: [error instanceof Error ? error.message : String(error)],
  error,
});

/** Whether the pod was turned away, as against a failure of the scheduler itself. */
export const isRejected = ({ code }: Status): boolean =>
  code === 'Unschedulable' || code === 'UnschedulableAndUnresolvable' || code === 'Pending';

export const messageOf = (status: Status): string => status.reasons.join(', ');

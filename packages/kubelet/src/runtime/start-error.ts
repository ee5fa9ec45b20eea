/** Why a container was not started: its reason stands in the container's waiting state. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** As `ErrImagePull`, `CreateContainerConfigError`, `CrashLoopBackOff`. */
  readonly reason: string;
  /** When another try makes sense. Absent: with the usual retry. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: string, message: string, options?: ErrorOptions & { readonly retryAfterMs?: number }) {
    super(message, options);
    this.reason = reason;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

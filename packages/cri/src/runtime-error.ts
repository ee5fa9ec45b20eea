/** gRPC status names: what CRI errors are told apart by. Add, never rename. */
export type RuntimeErrorCode =
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'INVALID_ARGUMENT'
  | 'FAILED_PRECONDITION'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAUTHENTICATED'
  | 'UNIMPLEMENTED'
  | 'DEADLINE_EXCEEDED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

const brand = Symbol.for('orrery/cri/RuntimeError'); // Survives two copies of this package.

/**
 * The error of a runtime call. `UNIMPLEMENTED` means that this driver cannot do what the pod asks; its message is for the
 * pod's author and says what to change or install.
 */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly [brand] = true;
  readonly code: RuntimeErrorCode;
  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export const isRuntimeError = (err: unknown): err is RuntimeError => err instanceof Error && brand in err;
/** The thing named by the call does not exist (any more). */
export const isRuntimeNotFound = (err: unknown): boolean => isRuntimeError(err) && err.code === 'NOT_FOUND';

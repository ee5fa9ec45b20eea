import { RuntimeError, type RuntimeErrorCode } from '@orrery/cri';

/** gRPC status numbers → what callers tell apart. Numbers that are not here have no remedy of their own: `INTERNAL`. */
const codes: ReadonlyMap<number, RuntimeErrorCode> = new Map([
  [3, 'INVALID_ARGUMENT'],
  [4, 'DEADLINE_EXCEEDED'],
  [5, 'NOT_FOUND'],
  [6, 'ALREADY_EXISTS'],
  [7, 'PERMISSION_DENIED'],
  [8, 'RESOURCE_EXHAUSTED'],
  [9, 'FAILED_PRECONDITION'],
  [12, 'UNIMPLEMENTED'],
  [14, 'UNAVAILABLE'],
  [16, 'UNAUTHENTICATED'],
]);

interface GrpcFailure {
  readonly code: number;
  readonly details: string;
}

const isGrpcFailure = (err: unknown): err is Error & GrpcFailure =>
  err instanceof Error && 'code' in err && typeof err.code === 'number' && 'details' in err;

/** The error of a call in the runtime's own words. */
export function runtimeErrorOf(err: unknown): unknown {
  if (!isGrpcFailure(err)) return err;
  return new RuntimeError(codes.get(err.code) ?? 'INTERNAL', err.details === '' ? err.message : err.details, { cause: err });
}

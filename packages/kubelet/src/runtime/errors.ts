/** What a runtime call failed with: the gRPC status name, as `NOT_FOUND`; empty when the error carries none. */
export function runtimeCode(err: unknown): string {
  if (typeof err !== 'object' || err === null || !('code' in err)) return '';
  return typeof err.code === 'string' ? err.code : '';
}

export const isRuntimeNotFound = (err: unknown): boolean => runtimeCode(err) === 'NOT_FOUND';
export const isRuntimeUnimplemented = (err: unknown): boolean => runtimeCode(err) === 'UNIMPLEMENTED';

/** The text of any thrown value. */
export const messageOf = (err: unknown): string => (err instanceof Error ? err.message : String(err));

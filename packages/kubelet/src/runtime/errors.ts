import { isRuntimeError } from '@orrery/cri';

export { isRuntimeNotFound } from '@orrery/cri';

/** The driver cannot do what was asked; its message says what to install. */
export const isRuntimeUnimplemented = (err: unknown): boolean => isRuntimeError(err) && err.code === 'UNIMPLEMENTED';

/** The text of any thrown value. */
export const messageOf = (err: unknown): string => (err instanceof Error ? err.message : String(err));

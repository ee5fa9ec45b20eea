/** A programmer error: something that the code holds impossible has happened. Never caught to be handled, never retried. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/**
 * States an invariant. Always on, in production too.
 * @throws {AssertionError} unless `condition` is true. Pass a function when the message costs something to build.
 */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === 'string' ? message : message());
}

/**
 * Marks what the types rule out, so that a new member of a union fails to compile here.
 * @throws {AssertionError} always: a value from outside escaped its decoder.
 */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected value: ${JSON.stringify(value)}`);
}

import { assert } from './assert.ts';

/** Collects what has to be undone, while it is being done. Undoes it in reverse order, once. */
export interface Disposer extends AsyncDisposable {
  readonly disposed: boolean;
  /** Runs `fn` at disposal. @throws {AssertionError} after disposal has begun: what it would undo is leaked by the caller. */
  defer(fn: () => void | Promise<void>): void;
  /** Disposes of `resource` at disposal, and returns it. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T;
  /**
   * Undoes everything, one after the other, also past failures. Idempotent: later calls await the first.
   * @throws the error when one step failed, an `AggregateError` when several did.
   */
  dispose(): Promise<void>;
}

function combined(errors: readonly unknown[]): unknown {
  return errors.length === 1 ? errors[0] : new AggregateError(errors, `${errors.length} steps of a disposal failed`);
}

async function runAll(steps: (() => void | Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw combined(errors);
}

export function newDisposer(): Disposer {
  const steps: (() => void | Promise<void>)[] = [];
  let disposal: Promise<void> | undefined;

  const defer = (fn: () => void | Promise<void>): void => {
    assert(disposal === undefined, 'defer() after dispose()');
    steps.push(fn);
  };
  const dispose = (): Promise<void> => {
    disposal ??= runAll(steps);
    return disposal;
  };
  return {
    get disposed() {
      return disposal !== undefined;
    },
    defer,
    use(resource) {
      defer(async () => {
        if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
        else resource[Symbol.dispose]();
      });
      return resource;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

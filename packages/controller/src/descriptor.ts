import { assert } from '@orrery/base';
import type { Runnable } from './controller.ts';

/** A controller before it is made: what a list of controllers holds, one line for each. */
export interface ControllerDescriptor<Context> {
  /** Public: used in logs, metrics and `--controllers`. Never rename. */
  readonly name: string;
  /** Feature gates that must all be on. */
  readonly featureGates: readonly string[];
  create(context: Context): Runnable;
}

/**
 * Makes the controllers that `isEnabled` lets pass, in the order of the list.
 * @throws {AssertionError} when two have the same name.
 */
export function createControllers<Context>(
  descriptors: readonly ControllerDescriptor<Context>[],
  context: Context,
  isEnabled: (descriptor: ControllerDescriptor<Context>) => boolean = () => true,
): readonly Runnable[] {
  const names = new Set<string>();
  for (const { name } of descriptors) {
    assert(!names.has(name), () => `two controllers are called ${name}`);
    names.add(name);
  }
  return descriptors.filter(isEnabled).map((descriptor) => descriptor.create(context));
}

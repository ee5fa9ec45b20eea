import type { Clock, Random } from '@orrery/base';
import { type Client, type InformerFactory, newEventRecorder, type RunningEventRecorder } from '@orrery/client';
import { type Logger, silentLogger } from '@orrery/component';
import { type ControllerMetrics, createControllers, runAll } from '@orrery/controller';
import { type ControllerContext, type ControllerManagerConfig, defaultConfig } from './context.ts';
import { controllerDescriptors } from './descriptors.ts';

export interface ControllerManagerOptions {
  readonly client: Client;
  /** May be shared with other components; run by whoever made it. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  /** @default silent */
  readonly log?: Logger;
  readonly metrics?: ControllerMetrics;
  /** Those left out have their defaults. */
  readonly config?: Partial<ControllerManagerConfig>;
  /** Names of the controllers to run. @default all */
  readonly controllers?: readonly string[];
}

export interface ControllerManager {
  /** Names of the controllers that run. */
  readonly names: readonly string[];
  /** Runs until `signal` aborts; rejects when a controller fails. */
  run(signal: AbortSignal): Promise<void>;
}

/** The built-in controllers with one lifetime. */
export function newControllerManager(options: ControllerManagerOptions): ControllerManager {
  const { client, informers, clock, random, log = silentLogger, metrics, config, controllers } = options;
  const recorders: RunningEventRecorder[] = [];
  const context: ControllerContext = {
    client,
    informers,
    clock,
    random,
    log,
    metrics,
    config: { ...defaultConfig, ...config },
    recorderFor(component) {
      const recorder = newEventRecorder({ client, clock, random, component, log });
      recorders.push(recorder);
      return recorder;
    },
  };
  const isEnabled = ({ name }: { readonly name: string }): boolean => controllers?.includes(name) ?? true;
  const runnables = createControllers(controllerDescriptors, context, isEnabled);
  return {
    names: controllerDescriptors.filter(isEnabled).map(({ name }) => name),
    async run(signal) {
      try {
        await runAll(runnables, signal);
      } finally {
        await Promise.all(recorders.map((recorder) => recorder.close()));
      }
    },
  };
}

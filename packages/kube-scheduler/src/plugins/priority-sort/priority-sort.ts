import type { Plugin } from '../../framework/plugin.ts';

/** Higher priority first, then whoever came first. */
export function newPrioritySort(): Plugin {
  return {
    name: 'PrioritySort',
    eventsToRegister: () => [],
    compare: (a, b) => b.info.priority - a.info.priority || a.timestampMs - b.timestampMs,
  };
}

import type { Plugin } from '../../framework/plugin.ts';
import { SCORE_MAX } from '../../framework/plugin.ts';
import { skip } from '../../framework/status.ts';

/** Prefers nodes whose processor and memory would be in use to the same degree. */
export function newBalancedAllocation(): Plugin {
  return {
    name: 'NodeResourcesBalancedAllocation',
    eventsToRegister: () => [],
    preScore: (_state, { requests }) => (requests.milliCpu === 0 && requests.memory === 0 ? skip : undefined),
    score(_state, { requests }, { allocatable, requested }) {
      if (allocatable.milliCpu === 0 || allocatable.memory === 0) return SCORE_MAX; // One resource alone is in balance.
      const cpu = Math.min((requested.milliCpu + requests.milliCpu) / allocatable.milliCpu, 1);
      const memory = Math.min((requested.memory + requests.memory) / allocatable.memory, 1);
      return Math.trunc((1 - Math.abs(cpu - memory) / 2) * SCORE_MAX); // The deviation of two values is half their distance.
    },
  };
}

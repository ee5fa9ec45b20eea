import { action } from '../../framework/cluster-event.ts';
import type { Plugin } from '../../framework/plugin.ts';
import { unresolvable } from '../../framework/status.ts';

/** Keeps pods with scheduling gates out of the queue. Source: KEP-3521. */
export function newSchedulingGates(): Plugin {
  return {
    name: 'SchedulingGates',
    eventsToRegister: () => [{ resource: 'TargetPod', actions: action.updatePodGatesEliminated }],
    preEnqueue({ pod }) {
      const gates = pod.spec.schedulingGates ?? [];
      if (gates.length === 0) return undefined;
      return unresolvable(`waiting for scheduling gates: [${gates.map(({ name }) => name).join(' ')}]`);
    },
  };
}

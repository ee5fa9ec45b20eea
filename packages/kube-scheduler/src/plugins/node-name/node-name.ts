import { action } from '../../framework/cluster-event.ts';
import type { Plugin } from '../../framework/plugin.ts';
import { skip, unresolvable } from '../../framework/status.ts';

export const NODE_NAME_REASON = "node(s) didn't match the requested node name";
const rejected = unresolvable(NODE_NAME_REASON);

/** Rejects every node but the one named in `spec.nodeName`. */
export function newNodeName(): Plugin {
  return {
    name: 'NodeName',
    eventsToRegister: () => [{ resource: 'Node', actions: action.add }],
    preFilter: (_state, { pod }) => (pod.spec.nodeName ? undefined : skip),
    filter: (_state, { pod }, { name }) => (!pod.spec.nodeName || pod.spec.nodeName === name ? undefined : rejected),
  };
}

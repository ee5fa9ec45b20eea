import type { UserInfo } from '@orrery/apiserver';

const userPrefix = 'system:node:';
/** Whoever is in it is a node, if the name says so too. */
export const nodesGroup = 'system:nodes';

/** The node that a user is; undefined: no node. A member of `system:nodes` without a node's name is a node without a name: ''. */
export function nodeNameOf({ username, groups }: UserInfo): string | undefined {
  if (!groups.includes(nodesGroup)) return undefined;
  return username.startsWith(userPrefix) ? username.slice(userPrefix.length) : '';
}

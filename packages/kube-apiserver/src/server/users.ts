import type { UserInfo } from '@orrery/apiserver';

const everybody = 'system:authenticated';

/**
 * A component that runs in this process, as the API sees it. Calls in the process are not asked of the authorizer; names and groups count
 * for admission (a node may change only what is its own), for who may give which roles, and for the record. Those who give roles and sign
 * certificates for others, and the system itself, are members of `system:masters`.
 */
export function componentUser(name: string): UserInfo {
  if (name.startsWith('system:node:')) return { username: name, groups: ['system:nodes', everybody] };
  if (unprivileged.has(name)) return { username: name, groups: [everybody] };
  return { username: name, groups: ['system:masters', everybody] };
}

const unprivileged: ReadonlySet<string> = new Set(['system:kube-scheduler', 'system:kube-proxy']);

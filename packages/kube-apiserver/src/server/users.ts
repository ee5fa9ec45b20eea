import type { UserInfo } from '@orrery/apiserver';

/** A component of the control plane that runs in this process. Until RBAC comes, only members of `system:masters` may do anything. */
export function componentUser(name: string): UserInfo {
  return { username: name, groups: ['system:masters', 'system:authenticated'] };
}

import type { Pod } from '@orrery/api/core/v1';
import type { Rejection } from './admission.ts';

/** Settings that are a namespace's own and harm nobody else. Source: sysctl.SafeSysctlAllowlist. */
export const safeSysctls: readonly string[] = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
];

const ipc = ['kernel.shm', 'kernel.msg', 'fs.mqueue.', 'kernel.sem'];

/** The namespace that keeps the setting apart, in the words of upstream's messages. */
function namespaceOf(name: string): 'IPC' | 'Net' | undefined {
  if (ipc.some((prefix) => (prefix === 'kernel.sem' ? name === prefix : name.startsWith(prefix)))) return 'IPC';
  return name.startsWith('net.') ? 'Net' : undefined;
}

/** With dots between its parts: `net/ipv4/x` and `net.ipv4.x` are the same, and a dot after the first slash is part of a name. */
export function dotted(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  if (separator !== '/') return name;
  return [...name].map((char) => (char === '/' ? '.' : char === '.' ? '/' : char)).join('');
}

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

/** The node does not take pods with kernel settings that are not allowed. */
export function sysctlRejection(pod: Pod, allowedUnsafe: readonly string[]): Rejection | undefined {
  const message = forbiddenSysctl(pod, allowedUnsafe);
  return message === undefined ? undefined : { reason: 'SysctlForbidden', message };
}

/**
 * Why the pod's kernel settings are not allowed; `undefined` when they are. Source: kubelet sysctl.patternAllowlist.
 * @param allowedUnsafe - What the node's owner allows beside the safe ones; `*` at the end stands for anything.
 */
export function forbiddenSysctl({ spec }: Pod, allowedUnsafe: readonly string[]): string | undefined {
  const allowed = [...safeSysctls, ...allowedUnsafe.map(dotted)];
  for (const { name: written } of spec.securityContext?.sysctls ?? []) {
    const name = dotted(written);
    const namespace = namespaceOf(name);
    if (namespace === undefined || !allowed.some((pattern) => matches(pattern, name))) {
      return `forbidden sysctl: ${JSON.stringify(name)} not allowlisted`;
    }
    const shared = namespace === 'IPC' ? spec.hostIPC === true : spec.hostNetwork === true;
    if (shared) return `forbidden sysctl: ${JSON.stringify(name)} not allowed with host ${namespace} enabled`;
  }
  return undefined;
}

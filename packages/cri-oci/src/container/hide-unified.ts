import type { Host } from '../host/host.ts';
import { shellQuote } from '../host/process.ts';

/** Shell lines for a private mount namespace in which the runtime takes the machine for one of cgroup version 1 alone. */
export const hideUnified = ({ runtime }: Host): readonly string[] =>
  runtime.hidesUnified ? ['mount --make-private /sys/fs/cgroup', 'umount /sys/fs/cgroup/unified'] : [];

/** A runtime's command as this machine needs it. */
export function hideUnifiedCommand(host: Host, argv: readonly string[]): readonly string[] {
  const hidden = hideUnified(host);
  if (hidden.length === 0) return argv;
  const script = [...hidden, `exec ${argv.map(shellQuote).join(' ')}`].join('\n');
  return ['unshare', '--mount', '--propagation', 'unchanged', '/bin/sh', '-c', script];
}

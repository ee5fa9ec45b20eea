import type { Host } from '../host/host.ts';
import { shellQuote } from '../host/process.ts';
import type { FstabEntry } from './fstab.ts';

/** Mounts for a private mount namespace that is about to have the runtime in it, to the same end. */
export const hiddenUnified = ({ runtime }: Host): readonly FstabEntry[] => {
  const target = '/sys/fs/cgroup/unified';
  if (!runtime.hidesUnified) return [];
  // Made private first: what is mounted there must not appear on the host.
  return [
    { source: 'none', target, type: 'none', options: 'private' },
    { source: 'none', target, type: 'tmpfs', options: 'rw,mode=755' },
  ];
};

/** Shell lines for a private mount namespace in which the runtime takes the machine for one of cgroup version 1 alone. */
const hideUnified = ({ runtime }: Host): readonly string[] =>
  runtime.hidesUnified ? ['mount --make-private /sys/fs/cgroup', 'umount /sys/fs/cgroup/unified'] : [];

/** A runtime's command as this machine needs it. */
export function hideUnifiedCommand(host: Host, argv: readonly string[]): readonly string[] {
  const hidden = hideUnified(host);
  if (hidden.length === 0) return argv;
  const script = [...hidden, `exec ${argv.map(shellQuote).join(' ')}`].join('\n');
  return ['unshare', '--mount', '--propagation', 'unchanged', '/bin/sh', '-c', script];
}

import { type Capability, RuntimeError } from '@orrery/cri';
import type { OciCapabilities } from './oci.ts';

/** By bit number, as linux/capability.h counts them. */
export const capabilityNames = [
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN',
  'NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME',
  'SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON',
  'BPF CHECKPOINT_RESTORE',
].flatMap((line) => line.split(' ').map((name) => `CAP_${name}`));

/** What a container has unless its pod says otherwise: the set that Docker and containerd give. */
const defaultCapabilities = [
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE',
].flatMap((line) => line.split(' ').map((name) => `CAP_${name}`));

/** The capabilities in a mask as `/proc/<pid>/status` prints it: hexadecimal, bit 0 last. */
export function capabilitiesInMask(hex: string): ReadonlySet<string> {
  const mask = BigInt(`0x${hex}`);
  return new Set(capabilityNames.filter((_, bit) => (mask >> BigInt(bit)) & 1n));
}

export interface CapabilityInput {
  readonly privileged: boolean;
  readonly wanted: Capability | undefined;
  /** What this process may give: asking the runtime for more fails. */
  readonly available: ReadonlySet<string>;
}

/**
 * Default capabilities, plus `addCapabilities`, minus `dropCapabilities`; `ALL` in either means all. A privileged container gets everything
 * that this machine may give. What is asked for by name and cannot be given is left out: the machine is smaller than the pod thinks.
 *
 * @throws {RuntimeError} `INVALID_ARGUMENT` for a name that no kernel knows.
 */
export function containerCapabilities({ privileged, wanted = {}, available }: CapabilityInput): OciCapabilities {
  const { addCapabilities = [], dropCapabilities = [], addAmbientCapabilities = [] } = wanted;
  const [add, drop, ambient] = [addCapabilities, dropCapabilities, addAmbientCapabilities].map((names) => names.map(fullName)) as [
    string[],
    string[],
    string[],
  ];
  const chosen = new Set<string>(privileged || add.includes('ALL') ? capabilityNames : drop.includes('ALL') ? [] : defaultCapabilities);
  if (!privileged) {
    for (const name of [...add, ...ambient]) if (name !== 'ALL') chosen.add(name);
    // "ALL" among the dropped takes the defaults away and leaves what is added by name.
    for (const name of drop) if (name !== 'ALL') chosen.delete(name);
  }
  const given = capabilityNames.filter((name) => chosen.has(name) && available.has(name));
  const raised = given.filter((name) => ambient.includes(name) || (ambient.includes('ALL') && chosen.has(name)));
  return { bounding: given, effective: given, permitted: given, inheritable: raised, ambient: raised };
}

function fullName(name: string): string {
  const upper = name.toUpperCase();
  if (upper === 'ALL') return upper;
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (!capabilityNames.includes(full)) throw new RuntimeError('INVALID_ARGUMENT', `unknown capability "${name}"`);
  return full;
}

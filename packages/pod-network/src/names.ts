import { assert } from '@orrery/base';

/** What everything of one node on this machine is called, so that clean-up finds exactly it. Interface names have at most 15 characters. */
export interface InstanceNames {
  readonly bridge: string;
  readonly vxlan: string;
  /** Of every host end of a pod's link. */
  readonly vethPrefix: string;
  veth(slot: number): string;
  /** Device group of links that are about to be deleted: links of one group go at once, in the time of one. In [1, 2³¹). */
  readonly doomedGroup: number;
  readonly netnsPrefix: string;
  netns(sandboxId: string): string;
  /** Of every nftables table, also those of other packages. */
  readonly tablePrefix: string;
  /** Host ports, masquerade, guards. */
  readonly podTable: string;
  readonly guardTable: string;
  readonly policyTable: string;
}

const SLOT_MAX = 0xffff; // Four hexadecimal digits: 2 + 8 + 1 + 4 = 15.

/** Another for each id, as far as 31 bits go: FNV-1a. */
function groupOf(instanceId: string): number {
  let hash = 0x811c9dc5;
  for (const char of instanceId) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return (hash >>> 1) | 1;
}

/** @param instanceId - 1 to 8 of `[a-z0-9]`. */
export function namesOf(instanceId: string): InstanceNames {
  assert(/^[a-z0-9]{1,8}$/.test(instanceId), () => `an instance id must be 1 to 8 of [a-z0-9]: ${JSON.stringify(instanceId)}`);
  const vethPrefix = `ov${instanceId}-`;
  const netnsPrefix = `orrery-${instanceId}-`;
  return {
    bridge: `orr-${instanceId}`,
    vxlan: `ovx${instanceId}`,
    vethPrefix,
    veth(slot) {
      assert(slot >= 0 && slot <= SLOT_MAX, 'slot out of range');
      return `${vethPrefix}${slot.toString(16)}`;
    },
    doomedGroup: groupOf(instanceId),
    netnsPrefix,
    netns(sandboxId) {
      assert(isSandboxId(sandboxId), () => `not a sandbox id: ${JSON.stringify(sandboxId)}`);
      return `${netnsPrefix}${sandboxId}`;
    },
    tablePrefix: `orrery-${instanceId}-`,
    podTable: `orrery-${instanceId}-pods`,
    guardTable: `orrery-${instanceId}-guard`,
    policyTable: `orrery-${instanceId}-policy`,
  };
}

/** The form that the seam asks for, and no name that a path could be confused by. */
export const isSandboxId = (text: string): boolean => /^[A-Za-z0-9_.-]{1,128}$/.test(text);

export const netnsPath = (name: string): string => `/run/netns/${name}`;

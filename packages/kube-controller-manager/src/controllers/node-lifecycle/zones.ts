import type { Node } from '@orrery/api/core/v1';
import { type ReadyStatus, readyStatus } from './node-health.ts';

/** How much of a zone is down. Decides how fast its silent nodes are emptied: an outage of many is likelier the network's than theirs. */
export type ZoneState = 'normal' | 'partial' | 'full';

const EVICTIONS_PER_SECOND = 0.1;
const EVICTIONS_PER_SECOND_IN_PARTIAL_DISRUPTION = 0.01;
const LARGE_ZONE_NODES = 50;
const UNHEALTHY_SHARE = 0.55;
const EXCLUDED = 'node.kubernetes.io/exclude-disruption';

export const zoneOf = ({ metadata }: Node): string =>
  `${metadata.labels?.['topology.kubernetes.io/region'] ?? ''}/${metadata.labels?.['topology.kubernetes.io/zone'] ?? ''}`;

/** Source: ComputeZoneState. */
export function zoneState(statuses: readonly ReadyStatus[]): ZoneState {
  const down = statuses.filter((status) => status !== 'True').length;
  if (down > 0 && down === statuses.length) return 'full';
  return down > 2 && down / statuses.length >= UNHEALTHY_SHARE ? 'partial' : 'normal';
}

/** Nodes a second that may be emptied in a zone of so many. */
export function evictionRate(state: ZoneState, nodes: number): number {
  if (state !== 'partial') return EVICTIONS_PER_SECOND;
  return nodes > LARGE_ZONE_NODES ? EVICTIONS_PER_SECOND_IN_PARTIAL_DISRUPTION : 0;
}

interface Zone {
  /** Of the bucket, at most 1. */
  tokens: number;
  countedMs: number;
  perSecond: number;
}

/** How fast nodes may be emptied, zone by zone. */
export interface ZoneLimits {
  /** Takes in the state of all nodes. `entered`: all zones have just gone down, `left`: the first node has just come back. */
  update(nodes: readonly Node[], nowMs: number): 'entered' | 'left' | undefined;
  /** Whether a node of the zone may be emptied now; counts as done. */
  tryTake(zone: string, nowMs: number): boolean;
}

export function newZoneLimits(): ZoneLimits {
  const zones = new Map<string, Zone>();
  let allDown = false; // While it is true nothing is emptied: the fault is most likely ours.

  const refill = (zone: Zone, nowMs: number): void => {
    zone.tokens = Math.min(1, zone.tokens + ((nowMs - zone.countedMs) * zone.perSecond) / 1000);
    zone.countedMs = nowMs;
  };
  return {
    update(nodes, nowMs) {
      const statuses = new Map<string, ReadyStatus[]>();
      for (const node of nodes) {
        if (node.metadata.labels?.[EXCLUDED] !== undefined) continue;
        const zone = zoneOf(node);
        const known = statuses.get(zone);
        if (known === undefined) statuses.set(zone, [readyStatus(node)]);
        else known.push(readyStatus(node));
      }
      for (const name of zones.keys()) if (!statuses.has(name)) zones.delete(name);
      for (const [name, known] of statuses) {
        const zone = zones.get(name) ?? { tokens: 1, countedMs: nowMs, perSecond: 0 };
        refill(zone, nowMs);
        zone.perSecond = evictionRate(zoneState(known), known.length);
        zones.set(name, zone);
      }
      const wasAllDown = allDown;
      allDown = statuses.size > 0 && [...statuses.values()].every((known) => zoneState(known) === 'full');
      if (allDown === wasAllDown) return undefined;
      return allDown ? 'entered' : 'left';
    },
    tryTake(name, nowMs) {
      const zone = zones.get(name);
      if (zone === undefined || allDown || zone.perSecond === 0) return false;
      refill(zone, nowMs);
      if (zone.tokens < 1) return false;
      zone.tokens -= 1;
      return true;
    },
  };
}

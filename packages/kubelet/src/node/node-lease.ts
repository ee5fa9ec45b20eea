import { leases } from '@orrery/api';
import type { Lease } from '@orrery/api/coordination/v1';
import type { Node } from '@orrery/api/core/v1';
import { formatMicroTime, isAlreadyExists, isConflict, isNotFound } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { Client } from '@orrery/client';

export const LEASE_NAMESPACE = 'kube-node-lease';
/** A node whose lease is older is held dead, in seconds. Source: KubeletConfiguration.nodeLeaseDurationSeconds. */
export const LEASE_DURATION_SECONDS = 40;

/** The node's heartbeat. */
export interface NodeLease {
  /** Renews, or makes the lease. @throws {StatusError} when the API refuses. */
  renew(): Promise<void>;
}

export function newNodeLease(client: Client, clock: Clock, nodeName: string, node: () => Node | undefined): NodeLease {
  const key = { namespace: LEASE_NAMESPACE, name: nodeName };
  let held: Lease | undefined;

  const spec = () => ({
    holderIdentity: nodeName,
    leaseDurationSeconds: LEASE_DURATION_SECONDS,
    renewTime: formatMicroTime(clock.now()),
  });

  function owner() {
    const owned = node();
    if (owned === undefined) return {};
    return { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: owned.metadata.uid }] };
  }

  async function create(): Promise<Lease> {
    try {
      return await client.create(leases, { metadata: { ...key, ...owner() }, spec: spec() });
    } catch (err) {
      if (!isAlreadyExists(err)) throw err;
      const found = await client.get(leases, key);
      return await client.update(leases, { ...found, spec: { ...found.spec, ...spec() } });
    }
  }

  return {
    async renew() {
      if (held === undefined) {
        held = await create();
        return;
      }
      try {
        const metadata = held.metadata.ownerReferences === undefined ? { ...held.metadata, ...owner() } : held.metadata;
        held = await client.update(leases, { ...held, metadata, spec: { ...held.spec, ...spec() } });
      } catch (err) {
        if (!isConflict(err) && !isNotFound(err)) throw err;
        held = undefined;
        held = await create();
      }
    },
  };
}

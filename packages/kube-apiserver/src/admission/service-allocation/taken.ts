import type { Service } from '@orrery/api/core/v1';
import { keyOf } from '@orrery/apimachinery';
import type { Reservations } from './reservations.ts';

export const portId = (protocol: string | undefined, port: number): string => `${protocol ?? 'TCP'}/${port}`;

/** What one Service has: addresses and node ports. */
export function* idsOf({ spec }: Service): Iterable<string> {
  for (const ip of spec.clusterIPs ?? []) if (ip !== 'None') yield ip;
  for (const { nodePort, protocol } of spec.ports ?? []) if (nodePort) yield portId(protocol, nodePort);
  if (spec.healthCheckNodePort) yield portId('TCP', spec.healthCheckNodePort);
}

/** Everything that is taken when one Service is written. */
export class Taken {
  readonly #owner: string;
  readonly #stored = new Set<string>();
  readonly #reservations: Reservations;
  /** Taken by this write: nothing else may see it before {@link Taken.commit}. */
  readonly #fresh = new Set<string>();

  /** @param services - All that are stored. @param owner - Key of the Service that is written: what it has is free to it. */
  constructor(services: readonly Service[], reservations: Reservations, owner: string) {
    this.#owner = owner;
    this.#reservations = reservations;
    for (const service of services) {
      if (keyOf(service) === owner) continue;
      for (const id of idsOf(service)) this.#stored.add(id);
    }
  }

  has(id: string): boolean {
    if (this.#stored.has(id) || this.#fresh.has(id)) return true;
    const owner = this.#reservations.ownerOf(id);
    return owner !== undefined && owner !== this.#owner;
  }

  take(id: string): void {
    this.#fresh.add(id);
  }

  /** Keeps what was taken until the write shows in the store. Not for dry runs. */
  commit(): void {
    for (const id of this.#fresh) this.#reservations.reserve(id, this.#owner);
  }
}

import type { ProxyBackend, ProxyChanges } from '../backend.ts';
import type { Family } from '../model/addresses.ts';
import { familyOfCidr } from '../model/addresses.ts';
import type { ProxyPort } from '../model/service-port.ts';
import { dialects } from './dialect.ts';
import type { Nft } from './nft.ts';
import { addPort } from './port-program.ts';
import { type Program, ProgramBuilder } from './program.ts';
import { type SkeletonOptions, skeleton } from './skeleton.ts';
import { TableState } from './table-state.ts';
import { renderAll, renderChanges } from './transaction.ts';

/** Name of the tables, of family ip and ip6. */
export const tableName = (instanceId: string): string => `orrery-${instanceId}-proxy`;

export interface NftBackendOptions {
  readonly instanceId: string;
  readonly families: readonly Family[];
  readonly clusterCidrs: readonly string[];
  readonly nft: Nft;
  /** Asked at each full write. */
  skeletonOf(family: Family): SkeletonOptions;
}

/** Services as nftables: one table of each family, one transaction for each batch of changes. */
export function newNftBackend({ instanceId, families, clusterCidrs, nft, skeletonOf }: NftBackendOptions): ProxyBackend {
  let states = new Map<Family, TableState>();
  const program = (ports: readonly ProxyPort[], family: Family): Program | undefined => {
    const own = ports.filter((port) => port.family === family);
    if (own.length === 0) return undefined;
    const builder = new ProgramBuilder();
    const clusterCidr = clusterCidrs.find((cidr) => familyOfCidr(cidr) === family);
    for (const port of own) addPort(builder, port, dialects[family], clusterCidr);
    return builder;
  };
  const programs = (changes: ProxyChanges, family: Family) =>
    new Map([...changes].map(([key, ports]) => [key, program(ports, family)] as const));
  const table = (family: Family): string => `${dialects[family].ip} ${tableName(instanceId)}`;

  return {
    async replaceAll(services, signal) {
      states = new Map(families.map((family) => [family, new TableState()]));
      const lines = [...states].flatMap(([family, state]) => {
        state.replace(programs(services, family));
        return renderAll(table(family), skeleton(dialects[family], skeletonOf(family)), state);
      });
      await nft(lines, signal);
    },
    async change(changes, signal) {
      const lines = [...states].flatMap(([family, state]) => renderChanges(table(family), state.replace(programs(changes, family))));
      await nft(lines, signal);
    },
    async close() {}, // Connections and rules outlive the agent; `cleanUpKubeProxy` removes them.
  };
}

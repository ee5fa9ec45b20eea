import { loadCriTable } from '../generated/cri-v1-table.ts';

/** Field number, type as in the `.proto` file, and whether it repeats. */
export type WireField = readonly [number, string, 'repeated'?];

/** The facts of CRI v1. Names of messages and enums are full: `runtime.v1.Mount`, `runtime.v1.SecurityProfile.ProfileType`. */
export interface WireTable {
  readonly package: string;
  readonly messages: Readonly<Record<string, Readonly<Record<string, WireField>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Service → call → request, response, and how it streams. */
  readonly services: Readonly<Record<string, Readonly<Record<string, readonly [string, string, 'server-stream'?]>>>>;
}

let table: WireTable | undefined;

/** Parsed when first asked for: a cluster without a remote runtime pays nothing. */
export function criTable(): WireTable {
  table ??= loadCriTable() as WireTable;
  return table;
}

/** All randomness in Orrery comes from here: from the system in a cluster, seeded in simulations. */
export interface Random {
  /** A number in [0, 1). */
  float(): number;
  /** An integer in [0, bound). `bound` is at least 1. */
  integer(bound: number): number;
  bytes(length: number): Uint8Array;
  /** A version 4 UUID in lower case. */
  uuid(): string;
}

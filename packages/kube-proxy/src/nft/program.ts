/** Elements of the table's maps and sets, by `map key`; the value is a verdict, or empty for a member of a set. */
export type Elements = ReadonlyMap<string, string>;

/** What one Service has in a table. Chains and sets are its own; elements go into the maps that all share. */
export interface Program {
  /** Rules by name of chain. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Declarations (`type …; timeout …;`) by name of set. */
  readonly sets: ReadonlyMap<string, string>;
  readonly elements: Elements;
}

/** Collects a {@link Program}. */
export class ProgramBuilder implements Program {
  readonly chains = new Map<string, readonly string[]>();
  readonly sets = new Map<string, string>();
  readonly elements = new Map<string, string>();

  /** Adds a chain, and says how to go there. */
  chain(name: string, rules: readonly string[]): string {
    this.chains.set(name, rules);
    return `goto ${name}`;
  }

  set(name: string, declaration: string): void {
    this.sets.set(name, declaration);
  }

  /** The first to name a key keeps it. @param verdict - Absent for a member of a set. */
  element(map: string, key: string, verdict = ''): void {
    const id = `${map} ${key}`;
    if (!this.elements.has(id)) this.elements.set(id, verdict);
  }
}

import type { Program } from './program.ts';
import { SharedElements } from './shared-elements.ts';

const nothing: Program = { chains: new Map(), sets: new Map(), elements: new Map() };

/** Something of a table before and after; undefined: absent. */
interface Change<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

export interface TableChanges {
  readonly chains: ReadonlyMap<string, Change<readonly string[]>>;
  readonly sets: ReadonlyMap<string, Change<string>>;
  readonly elements: ReadonlyMap<string, Change<string>>;
}

/** What Services have in one table. Knows no kernel: {@link TableState.replace} changes the wish, and says what that changes. */
export class TableState {
  readonly #programs = new Map<string, Program>();
  readonly #elements = new SharedElements();

  get programs(): Iterable<Program> {
    return this.#programs.values();
  }

  get elements(): Iterable<readonly [string, string]> {
    return this.#elements.entries();
  }

  /** Gives each owner its new program; undefined: it has none any more. */
  replace(wanted: ReadonlyMap<string, Program | undefined>): TableChanges {
    const chains = new Map<string, Change<readonly string[]>>();
    const sets = new Map<string, Change<string>>();
    const touched = new Map<string, string | undefined>();
    const touch = (element: string): void => {
      if (!touched.has(element)) touched.set(element, this.#elements.get(element));
    };
    for (const [owner, next = nothing] of wanted) {
      const old = this.#programs.get(owner) ?? nothing;
      compare(old.chains, next.chains, sameRules, chains);
      compare(old.sets, next.sets, (a, b) => a === b, sets);
      for (const element of old.elements.keys()) touch(element);
      for (const element of next.elements.keys()) touch(element);
      for (const element of old.elements.keys()) if (!next.elements.has(element)) this.#elements.remove(element, owner);
      for (const [element, value] of next.elements) this.#elements.add(element, owner, value);
      if (next === nothing) this.#programs.delete(owner);
      else this.#programs.set(owner, next);
    }
    const elements = new Map<string, Change<string>>();
    for (const [element, before] of touched) {
      const after = this.#elements.get(element);
      if (before !== after) elements.set(element, { before, after });
    }
    return { chains, sets, elements };
  }
}

const sameRules = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((rule, at) => rule === b[at]);

/** Names are unique among owners, so what is compared twice has changed twice: the last wins, from the first `before`. */
function compare<T>(
  old: ReadonlyMap<string, T>,
  next: ReadonlyMap<string, T>,
  same: (a: T, b: T) => boolean,
  into: Map<string, Change<T>>,
) {
  for (const [name, before] of old) {
    const after = next.get(name);
    if (after === undefined || !same(before, after)) into.set(name, { before: into.get(name)?.before ?? before, after });
  }
  for (const [name, after] of next) if (!old.has(name)) into.set(name, { before: into.get(name)?.before, after });
}

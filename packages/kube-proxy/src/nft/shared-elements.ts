/** Elements of the maps that all Services share: who asked for one, and what is therefore in the table. */
export class SharedElements {
  /** By element, what each Service wants there, in order of asking. Invariant: no inner map is empty. The first has its way. */
  readonly #wishes = new Map<string, Map<string, string>>();

  /** What is to stand there; undefined: nothing. */
  get(element: string): string | undefined {
    return this.#wishes.get(element)?.values().next().value;
  }

  *entries(): Iterable<readonly [element: string, value: string]> {
    for (const element of this.#wishes.keys()) yield [element, this.get(element) ?? ''];
  }

  add(element: string, owner: string, value: string): void {
    const wishes = this.#wishes.get(element);
    if (wishes === undefined) this.#wishes.set(element, new Map([[owner, value]]));
    else wishes.set(owner, value);
  }

  remove(element: string, owner: string): void {
    const wishes = this.#wishes.get(element);
    wishes?.delete(owner);
    if (wishes?.size === 0) this.#wishes.delete(element);
  }
}

/** A parsed label or field selector. */
export interface Selector {
  /** True for a selector that takes everything. */
  readonly everything: boolean;
  matches(values: { readonly [key: string]: string }): boolean;
  /** Canonical text, as `a=b,c in (d,e)`. */
  toString(): string;
}

/** How a label requirement compares; `=` and `==` mean the same. Source: selection.Operator. */
export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** One term of a label selector: every term must hold. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted, without repeats; empty for `exists` and `!`, one value for `=`, `==`, `!=`, `gt` and `lt`. */
  readonly values: readonly string[];
}

/** A parsed label or field selector. */
export interface Selector {
  /** True for a selector that takes everything. */
  readonly everything: boolean;
  /** True for a selector known to take nothing, as a nil LabelSelector. */
  readonly nothing: boolean;
  /** Labels: an absent key differs from an empty value. Fields: it does not. */
  matches(values: { readonly [key: string]: string } | undefined): boolean;
  /** The one value that `key` must have for anything to match, where a single term demands one: an index can then answer. */
  exactMatch(key: string): string | undefined;
  /** Canonical text, as `a=b,c in (d,e)`; empty for everything and for nothing. */
  toString(): string;
}

/** A parsed label selector. */
export interface ParsedLabelSelector extends Selector {
  /** Sorted by key. Empty for everything and for nothing. */
  readonly requirements: readonly LabelRequirement[];
}

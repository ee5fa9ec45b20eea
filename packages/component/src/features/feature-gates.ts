export type FeatureStage = 'alpha' | 'beta' | 'stable';

export interface FeatureSpec {
  /** Pascal case, as `SchedulerFork`. */
  readonly name: string;
  /** Who answers for it. */
  readonly owner: string;
  readonly stage: FeatureStage;
  /** First version with this stage. */
  readonly since: string;
  /** @default off for alpha, on for beta and stable */
  readonly enabled?: boolean;
}

export interface FeatureGates {
  /** @throws {RangeError} for a name that no spec declares: a caller bug. */
  enabled(name: string): boolean;
  /** Every feature with its state, sorted by name. */
  list(): readonly (FeatureSpec & { readonly enabled: boolean })[];
}

/**
 * Feature gates of one component, fixed for its life.
 *
 * @param overrides - As written by users: `A=true,B=false`. Empty for none.
 * @throws {RangeError} with a text for users: unknown name, value that is not true or false, or a stable feature set to false.
 */
export function newFeatureGates(specs: readonly FeatureSpec[], overrides = ''): FeatureGates {
  const states = new Map<string, FeatureSpec & { readonly enabled: boolean }>();
  for (const spec of specs) {
    if (states.has(spec.name)) throw new RangeError(`feature ${spec.name} is declared twice`);
    states.set(spec.name, { ...spec, enabled: spec.enabled ?? spec.stage !== 'alpha' });
  }
  for (const [name, value] of parseOverrides(overrides)) {
    const state = states.get(name);
    if (state === undefined)
      throw new RangeError(`unknown feature gate ${JSON.stringify(name)}; known: ${[...states.keys()].sort().join(', ')}`);
    if (state.stage === 'stable' && !value) throw new RangeError(`feature gate ${name} is stable and cannot be disabled`);
    states.set(name, { ...state, enabled: value });
  }
  return {
    enabled(name) {
      const state = states.get(name);
      if (state === undefined) throw new RangeError(`unknown feature gate ${JSON.stringify(name)}`);
      return state.enabled;
    },
    list: () => [...states.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function parseOverrides(text: string): [name: string, value: boolean][] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', value] = part.split('=', 2);
      if (value !== 'true' && value !== 'false')
        throw new RangeError(`feature gate ${JSON.stringify(part)} must be NAME=true or NAME=false`);
      return [name, value === 'true'];
    });
}

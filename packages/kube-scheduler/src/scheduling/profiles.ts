import { assert } from '@orrery/base';
import { DEFAULT_SCHEDULER_NAME, type ProfileConfig } from '../config.ts';
import type { ClusterEventWithHint } from '../framework/cluster-event.ts';
import type { Handle } from '../framework/handle.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import { Profile, type WeightedPlugin } from '../framework/profile.ts';
import { plugins as builtIn } from '../plugins/registry.ts';

export interface RunningProfile {
  readonly profile: Profile;
  readonly hints: ReadonlyMap<string, readonly ClusterEventWithHint[]>;
  readonly percentage: number | undefined;
}

type SharedHandle = Omit<Handle, 'fits' | 'tryAdd' | 'tryRemove'>;

/** @throws {AssertionError} for an unknown plugin or a profile that cannot work. */
export function newProfiles(
  configs: readonly ProfileConfig[],
  shared: SharedHandle,
  outOfTree: Readonly<Record<string, PluginFactory>>,
): ReadonlyMap<string, RunningProfile> {
  const profiles = new Map<string, RunningProfile>();
  for (const config of configs) {
    const { schedulerName = DEFAULT_SCHEDULER_NAME, percentageOfNodesToScore } = config;
    assert(!profiles.has(schedulerName), () => `two profiles are named ${schedulerName}`);
    const profile = newProfile(schedulerName, config, shared, outOfTree);
    profiles.set(schedulerName, { profile, hints: hintsOf(profile), percentage: percentageOfNodesToScore });
  }
  return profiles;
}

function newProfile(
  schedulerName: string,
  { disabled = [], enabled = [], pluginConfig = {} }: ProfileConfig,
  shared: SharedHandle,
  outOfTree: Readonly<Record<string, PluginFactory>>,
): Profile {
  const factories = new Map([...builtIn.map(({ name, factory }) => [name, factory] as const), ...Object.entries(outOfTree)]);
  const isOff = (name: string): boolean => disabled.includes('*') || disabled.includes(name);
  const chosen = new Map(builtIn.filter(({ name }) => !isOff(name)).map(({ name, weight = 1 }) => [name, weight] as const));
  for (const { name, weight = 1 } of enabled) chosen.set(name, weight);
  // The handle's trials run the profile that the plugin belongs to, which is made from the plugins.
  const handle: Handle = {
    ...shared,
    fits: (state, pod, node) => profile.fits(state, pod, node),
    tryAdd: (state, pod, other, node) => profile.addPod(state, pod, other, node),
    tryRemove: (state, pod, other, node) => profile.removePod(state, pod, other, node),
  };
  const made = [...chosen].map(([name, weight]): WeightedPlugin => {
    const factory = factories.get(name);
    assert(factory !== undefined, () => `profile ${schedulerName}: there is no plugin ${name}`);
    return { plugin: factory(handle, pluginConfig[name] ?? {}), weight };
  });
  const profile = new Profile(schedulerName, made, shared.nominator);
  return profile;
}

/** Plugins that do not say what helps them are left out: for them every event may. */
function hintsOf({ plugins }: Profile): ReadonlyMap<string, readonly ClusterEventWithHint[]> {
  const entries = plugins.flatMap(({ plugin }) => {
    const events = plugin.eventsToRegister?.();
    return events === undefined ? [] : [[plugin.name, events] as const];
  });
  return new Map(entries);
}

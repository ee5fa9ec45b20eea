import type { Resource } from '@orrery/apimachinery';

export interface DiscoveredResource extends Resource {
  readonly verbs: readonly string[];
  /** The version of this resource that its group prefers, among those that serve it. */
  readonly preferred: boolean;
}

/** What a server serves, subresources left out. */
export interface DiscoveredApi {
  readonly resources: readonly DiscoveredResource[];
  /** Versions (`group/version`) whose resources could not be learnt, as those of an extension server that is away. */
  readonly failures: ReadonlyMap<string, Error>;
}

interface VersionResources {
  readonly version: string;
  readonly resources: readonly Omit<DiscoveredResource, 'preferred'>[];
}

/** Marks, of every resource of a group, the first version that has it. @param versions - Preferred first. */
export function withPreferred(versions: readonly VersionResources[]): readonly DiscoveredResource[] {
  const seen = new Set<string>();
  return versions.flatMap(({ resources }) =>
    resources.map((resource) => {
      const preferred = !seen.has(resource.resource);
      seen.add(resource.resource);
      return { ...resource, preferred };
    }),
  );
}

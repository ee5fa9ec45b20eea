import { apiVersionOf, type Resource } from '@orrery/apimachinery';
import type { DiscoveredApi, Discovery } from '@orrery/client';

/** Finds the resource of a kind that an owner reference names. */
export interface KindMapper {
  /** Asks the server anew when the kind is unknown. @throws {Error} when it does not exist: it may yet be made. */
  resourceOf(apiVersion: string, kind: string, signal: AbortSignal): Promise<Resource>;
}

export function newKindMapper(discovery: Discovery): KindMapper {
  let known: DiscoveredApi | undefined;
  let resources = new Map<string, Resource>(); // Of `known`.

  const find = (apiVersion: string, kind: string): Resource | undefined => resources.get(`${apiVersion} ${kind}`);
  const read = async (signal: AbortSignal): Promise<void> => {
    const api = await discovery.read(signal);
    if (api === known) return;
    known = api;
    resources = new Map(api.resources.map((resource) => [`${apiVersionOf(resource)} ${resource.kind}`, resource]));
  };
  return {
    async resourceOf(apiVersion, kind, signal) {
      const found = find(apiVersion, kind);
      if (found !== undefined) return found;
      await read(signal);
      const fresh = find(apiVersion, kind);
      if (fresh === undefined) throw new Error(`unable to get REST mapping for ${apiVersion}/${kind}.`);
      return fresh;
    },
  };
}

import type { Pod } from '@orrery/api/core/v1';

/** What a downward API field may ask beyond the pod's own fields. */
export interface PodFacts {
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  readonly nodeName: string;
}

const subscript = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/;

/** `key="value"` lines sorted by key, values quoted as Go's `%q` does. Source: fieldpath.FormatMap. */
export function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort()
    .join('\n');
}

/**
 * The value of a downward API field path.
 * @throws {Error} when the path is not supported.
 */
export function podField(path: string, pod: Pod, { podIps, hostIps, nodeName }: PodFacts): string {
  const { metadata, spec } = pod;
  const keyed = subscript.exec(path);
  if (keyed !== null) {
    const map = keyed[1] === 'metadata.labels' ? metadata.labels : metadata.annotations;
    return map?.[keyed[2] ?? ''] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid;
    case 'metadata.labels':
      return formatMap(metadata.labels);
    case 'metadata.annotations':
      return formatMap(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? nodeName;
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return hostIps[0] ?? '';
    case 'status.hostIPs':
      return hostIps.join(',');
    case 'status.podIP':
      return podIps[0] ?? '';
    case 'status.podIPs':
      return podIps.join(',');
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

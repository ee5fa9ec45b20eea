import type { UserNamespace } from '@orrery/cri';
import type { OciIdMapping } from './oci.ts';

/** Ids inside a user namespace and what they are outside. */
export interface IdMappings {
  readonly uids: readonly OciIdMapping[];
  readonly gids: readonly OciIdMapping[];
}

/** From CRI's words to the runtime's. */
export function mappingsOf({ uids = [], gids = [] }: UserNamespace): IdMappings {
  const oci = (ids: typeof uids): readonly OciIdMapping[] =>
    ids.map(({ containerId: containerID = 0, hostId: hostID = 0, length: size = 0 }) => ({ containerID, hostID, size }));
  return { uids: oci(uids), gids: oci(gids) };
}

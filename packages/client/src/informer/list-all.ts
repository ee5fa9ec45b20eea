import type { KubeList, KubeObject, Resource } from '@orrery/apimachinery';
import { isExpired } from '@orrery/apimachinery';
import type { Client, Scope } from '../client.ts';

export interface WholeList<T extends KubeObject> {
  readonly items: readonly T[];
  /** One revision for all of `items`: where a watch goes on. */
  readonly resourceVersion: string;
}

/** Objects per page: large enough to be few round trips, small enough for one response (5 KB objects make 5 MB). */
const PAGE_SIZE = 1000;

/**
 * Every object of `resource` in `scope`, fetched in pages of one revision. When the revision is compacted between two pages, everything is
 * fetched again in one piece.
 */
export async function listAll<T extends KubeObject>(
  client: Pick<Client, 'list'>,
  resource: Resource<T>,
  scope: Scope = {},
): Promise<WholeList<T>> {
  const first = await client.list(resource, { ...scope, limit: PAGE_SIZE });
  let token = first.metadata.continue;
  if (!token) return whole(first.items, first.metadata.resourceVersion);
  const items = [...first.items];
  while (token) {
    try {
      const page: KubeList<T> = await client.list(resource, { ...scope, limit: PAGE_SIZE, continue: token });
      for (const item of page.items) items.push(item);
      token = page.metadata.continue;
    } catch (error) {
      if (!isExpired(error)) throw error;
      const all = await client.list(resource, scope);
      return whole(all.items, all.metadata.resourceVersion);
    }
  }
  return whole(items, first.metadata.resourceVersion);
}

const whole = <T extends KubeObject>(items: readonly T[], resourceVersion = ''): WholeList<T> => ({ items, resourceVersion });

import { invalid, newBadRequest, newInvalid, type StatusError } from '@orrery/apimachinery';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { newTooLargeResourceVersion } from '../store/storage-status.ts';
import type { ServerCore } from './server-core.ts';

/** How long a read waits for a version that the server has not reached. Source: watchCache.blockTimeout. */
const waitMs = 3000;
const versionShape = /^[0-9]{1,20}$/;

/** The number of a resourceVersion; 0 for empty. @throws what `refuse` makes of the parser's text. */
export function parseResourceVersion(text: string | undefined, refuse: (problem: string) => StatusError): number {
  if (text === undefined || text === '') return 0;
  if (!versionShape.test(text)) throw refuse(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  const version = Number(text);
  if (!Number.isSafeInteger(version)) throw refuse(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
  return version;
}

export const badListVersion =
  (text: string | undefined) =>
  (problem: string): StatusError =>
    newBadRequest(`invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: ${problem}`);

export const badWatchVersion =
  ({ groupResource: { group, resource } }: ResourceEndpoint, text: string | undefined) =>
  (problem: string): StatusError =>
    newInvalid({ group, kind: resource }, '', [invalid('resourceVersion', text, problem)]);

/**
 * Waits until the cache may answer: for every acknowledged write (empty version), for nothing (`0`), or for that version.
 * @throws StatusError Timeout - The version was not reached within 3 s.
 */
export async function waitForVersion(
  core: ServerCore,
  endpoint: ResourceEndpoint,
  text: string | undefined,
  version: number,
): Promise<void> {
  const { storage } = endpoint;
  if (text === undefined || text === '') {
    await storage.fresh();
    return;
  }
  await storage.cache.ready();
  if (await core.pool.feed.reached(version, waitMs)) return;
  throw newTooLargeResourceVersion(version, core.pool.feed.revision);
}

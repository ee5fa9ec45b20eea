import type { ObjectReference } from '@orrery/api/core/v1';
import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { Image, Runtime } from '@orrery/cri';
import { messageOf } from '../runtime/errors.ts';
import { type EventSink, reasons } from '../runtime/events.ts';
import type { Observation } from './thresholds.ts';

export interface ImageGcLimits {
  /** Percent of the disk in use from which on images go; 100: never. */
  readonly highPercent: number;
  /** Percent of the disk in use down to which they go. */
  readonly lowPercent: number;
  /** An image stays at least this long after it was first seen. */
  readonly minAgeMs: number;
}

/** Removes images that no container uses, the longest unused first. Source: kubelet images.imageGCManager. */
export interface ImageGc {
  /** Removes as many as the limits ask for. */
  collect(disk: Observation | undefined): Promise<void>;
  /** Removes all that nothing uses, whatever their age. Bytes that were freed. */
  removeUnused(): Promise<number>;
}

interface Deps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventSink;
  readonly node: ObjectReference;
  readonly limits: ImageGcLimits;
}

interface Record {
  readonly firstSeenMs: number;
  lastUsedMs: number;
}

export function newImageGc({ runtime, clock, log, events, node, limits }: Deps): ImageGc {
  const records = new Map<string, Record>(); // By image id.

  /** Images by id, with when they were used last; those in use are left out. */
  async function unused(): Promise<readonly Image[]> {
    const now = clock.monotonicMs();
    const [{ images = [] }, { containers = [] }] = await Promise.all([runtime.listImages({}), runtime.listContainers({})]);
    const used = new Set(containers.flatMap(({ image, imageRef, imageId }) => [image?.image ?? '', imageRef ?? '', imageId ?? '']));
    const names = ({ id = '', repoTags = [], repoDigests = [] }: Image): readonly string[] => [id, ...repoTags, ...repoDigests];
    const inUse = (image: Image): boolean => image.pinned === true || names(image).some((name) => name !== '' && used.has(name));
    const ids = new Set(images.map(({ id = '' }) => id));
    for (const id of records.keys()) if (!ids.has(id)) records.delete(id);
    for (const image of images) {
      const known = records.get(image.id ?? '');
      if (known === undefined) records.set(image.id ?? '', { firstSeenMs: now, lastUsedMs: inUse(image) ? now : Number.NEGATIVE_INFINITY });
      else if (inUse(image)) known.lastUsedMs = now;
    }
    const at = ({ id = '' }: Image): number => records.get(id)?.lastUsedMs ?? 0;
    return images.filter((image) => !inUse(image)).sort((a, b) => at(a) - at(b));
  }

  async function free(wantedBytes: number, minAgeMs: number): Promise<number> {
    let freed = 0;
    for (const image of await unused()) {
      if (freed >= wantedBytes) break;
      const { id = '', size = 0 } = image;
      if (clock.monotonicMs() - (records.get(id)?.firstSeenMs ?? 0) < minAgeMs) continue;
      try {
        await runtime.removeImage({ image: { image: id } });
        freed += size;
        log.info('removed an image that nothing uses', { image: image.repoTags?.[0] ?? id, sizeBytes: size });
      } catch (err) {
        log.warn('removing an image failed', { image: id, error: messageOf(err) });
      }
    }
    return freed;
  }

  return {
    async collect(disk) {
      if (disk === undefined || disk.capacity === 0 || limits.highPercent >= 100) {
        await unused(); // Remembers what is used, for the day when there is no room.
        return;
      }
      const usedPercent = 100 - Math.floor((disk.available * 100) / disk.capacity);
      if (usedPercent < limits.highPercent) {
        await unused();
        return;
      }
      const wanted = Math.floor((disk.capacity * (100 - limits.lowPercent)) / 100) - disk.available;
      const freed = await free(wanted, limits.minAgeMs);
      if (freed >= wanted) return;
      const message = `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`;
      events.event(node, 'Warning', reasons.freeDiskSpaceFailed, message);
    },
    removeUnused: () => free(Number.POSITIVE_INFINITY, 0),
  };
}

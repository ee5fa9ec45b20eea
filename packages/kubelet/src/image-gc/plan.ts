/** An image as collection sees it. Times are milliseconds since the epoch. */
export interface CollectableImage {
  readonly id: string;
  readonly sizeBytes: number;
  readonly pinned: boolean;
  /** When the kubelet first saw it. */
  readonly detectedAtMs: number;
  /** When a container last used it; 0 when none was seen to. */
  readonly lastUsedAtMs: number;
}

export interface ImageGcPolicy {
  /** Percent of the disk in use from which images go. @default 85 */
  readonly highPercent: number;
  /** What is aimed at then. @default 80 */
  readonly lowPercent: number;
  /** An image seen more recently stays. @default 120000 */
  readonly minAgeMs: number;
}

export const defaultImageGcPolicy: ImageGcPolicy = { highPercent: 85, lowPercent: 80, minAgeMs: 120_000 };

export interface ImageGcPlan {
  /** Used percent of the disk, rounded up as upstream does: 100 - free * 100 / capacity in whole numbers. */
  readonly usedPercent: number;
  /** Bytes that have to go; 0 below the threshold. */
  readonly neededBytes: number;
  /** Least recently used first; enough of them, or all there are. */
  readonly remove: readonly CollectableImage[];
  /** What is then missing; above 0 the node says `FreeDiskSpaceFailed`. */
  readonly shortBytes: number;
}

/** Which images go. Source: kubelet image_gc_manager. */
export function planImageGc(
  images: readonly CollectableImage[],
  inUse: ReadonlySet<string>,
  disk: { readonly capacityBytes: number; readonly availableBytes: number },
  nowMs: number,
  { highPercent, lowPercent, minAgeMs }: ImageGcPolicy = defaultImageGcPolicy,
): ImageGcPlan {
  const availableBytes = Math.min(disk.availableBytes, disk.capacityBytes);
  const usedPercent = disk.capacityBytes === 0 ? 0 : 100 - Math.floor((availableBytes * 100) / disk.capacityBytes);
  if (usedPercent < highPercent) return { usedPercent, neededBytes: 0, remove: [], shortBytes: 0 };
  const neededBytes = Math.max(0, Math.floor((disk.capacityBytes * (100 - lowPercent)) / 100) - availableBytes);
  const candidates = images
    .filter((image) => !image.pinned && !inUse.has(image.id) && nowMs - image.detectedAtMs >= minAgeMs)
    .sort((a, b) => a.lastUsedAtMs - b.lastUsedAtMs || a.detectedAtMs - b.detectedAtMs);
  const remove: CollectableImage[] = [];
  let freedBytes = 0;
  for (const image of candidates) {
    if (freedBytes >= neededBytes) break;
    remove.push(image);
    freedBytes += image.sizeBytes;
  }
  return { usedPercent, neededBytes, remove, shortBytes: Math.max(0, neededBytes - freedBytes) };
}

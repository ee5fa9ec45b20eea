import { quantityValue } from '@orrery/apimachinery';
import type { ResourceList } from './resources.ts';

const PAGE_SIZES: Readonly<Record<string, string>> = { Ki: 'KB', Mi: 'MB', Gi: 'GB', Ti: 'TB' };

/** The kernel's name of a page size: `2MB` for the resource `hugepages-2Mi`; undefined for other resources. */
export function pageSizeOf(resource: string): string | undefined {
  const match = /^hugepages-(\d+)(Ki|Mi|Gi|Ti)$/.exec(resource);
  return match === null ? undefined : `${match[1]}${PAGE_SIZES[match[2] ?? '']}`;
}

/** Limits of huge pages by page size. */
export function hugepagesOf(limits: ResourceList): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(limits).flatMap(([resource, amount]) => {
      const size = pageSizeOf(resource);
      return size === undefined ? [] : [[size, quantityValue(amount)]];
    }),
  );
}

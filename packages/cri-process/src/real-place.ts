import { realpath } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/**
 * Where a path leads when all links on the way are followed; what does not exist yet stays as it is named. A container's root shows the
 * host's, so the place is the same in it; a mount at a path with a link to an absolute one (`/var/run`) would land on the host.
 */
export async function realPlace(path: string): Promise<string> {
  for (let above = path; ; above = dirname(above)) {
    try {
      return join(await realpath(above), relative(above, path));
    } catch (err) {
      if (above === '/' || (err as NodeJS.ErrnoException).code !== 'ENOENT') return path;
    }
  }
}

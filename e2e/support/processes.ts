import { readdirSync, readFileSync } from 'node:fs';

/** One process of a pod, as the kernel knows it. */
export interface PodProcess {
  readonly pid: number;
  readonly containerId: string;
  /** Ticks since boot: with the pid, the same process and no other. */
  readonly startTicks: string;
  readonly command: string;
}

/** Every process on this machine that carries the process driver's mark; with `containerIds`, only of those. */
export function podProcesses(containerIds?: readonly string[]): PodProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const found = podProcess(Number(name));
      return found === undefined || containerIds?.includes(found.containerId) === false ? [] : [found];
    });
}

function podProcess(pid: number): PodProcess | undefined {
  try {
    const mark = /(?:^|\0)ORRERY_CONTAINER_ID=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'));
    if (mark === null) return undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, containerId: mark[1] ?? '', startTicks: fields[19] ?? '', command };
  } catch {
    return undefined; // Ended meanwhile, or not ours to look at.
  }
}

/** Mount points of any process's view below `folder`. */
export function mountsBelow(folder: string): string[] {
  const found = new Set<string>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      for (const line of readFileSync(`/proc/${name}/mountinfo`, 'utf8').split('\n')) {
        const point = line.split(' ')[4];
        if (point?.startsWith(folder) === true) found.add(point);
      }
    } catch {
      // Ended meanwhile.
    }
  }
  return [...found];
}

/** Ids of processes whose command line or environment names `text`: what a cluster in that folder left behind. */
export function processesNaming(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`)
    .flatMap((name) => {
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        const named = line.includes(text) || readFileSync(`/proc/${name}/environ`, 'utf8').includes(text);
        return named ? [`${name} ${line.replaceAll('\0', ' ').trim()}`] : [];
      } catch {
        return [];
      }
    });
}

/** For people: `0.4 m`, `120 m`, `1.25 cores`. */
export function formatCpu(milli: number): string {
  if (milli < 10) return `${milli.toFixed(1)} m`;
  return milli < 1000 ? `${Math.round(milli)} m` : `${(milli / 1000).toFixed(2)} cores`;
}

/** For people: `34 MiB`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value >= 10 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** `45s`, `12m`, `3h`, `8d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

export const formatCount = (count: number): string => count.toLocaleString('en');

/** Cut in the middle: names of pods differ at their ends. */
export function shortName(name: string, length: number): string {
  if (name.length <= length) return name;
  const end = Math.min(6, Math.floor(length / 2));
  return `${name.slice(0, Math.max(1, length - end - 1))}…${name.slice(-end)}`;
}

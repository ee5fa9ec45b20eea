import { isDns1123Label } from '@orrery/apimachinery';

/** What a client hears when the name of a workload cannot be part of a host name. @param use - Where the name goes. */
export function dnsLabelWarning(name: string | undefined, use = 'in Pod names and hostnames'): string[] {
  const reasons = name === undefined || name === '' ? [] : isDns1123Label(name);
  if (reasons.length === 0) return [];
  return [
    `metadata.name: this is used ${use}, which can result in surprising behavior; a DNS label is recommended: [${reasons.join(' ')}]`,
  ];
}

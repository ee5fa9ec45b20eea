import { isIPv4, isIPv6 } from 'node:net';
import { assert } from '@orrery/base';

const ipv4Bytes = (address: string): number[] => address.split('.').map(Number);

/** The 4 or 16 bytes of an address in text. A zone (`%eth0`) is not part of an address. */
export function ipBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(ipv4Bytes(address));
  assert(isIPv6(address) && !address.includes('%'), `not an IP address: ${address}`);
  const groupsOf = (text: string): number[] =>
    text
      .split(':')
      .filter((group) => group !== '')
      .flatMap((group) => {
        if (!group.includes('.')) return [Number.parseInt(group, 16)];
        const [a = 0, b = 0, c = 0, d = 0] = ipv4Bytes(group);
        return [a * 256 + b, c * 256 + d];
      });
  const [before = '', after = ''] = address.split('::');
  const [head, tail] = [groupsOf(before), groupsOf(after)];
  const groups = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** The text of an address of 4 or 16 bytes; IPv6 without abbreviation but for leading zeros. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const groups = Array.from({ length: bytes.length / 2 }, (_, index) =>
    ((bytes[index * 2] ?? 0) * 256 + (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}

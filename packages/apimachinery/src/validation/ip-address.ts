/** An IP address as numbers. */
export interface IpAddress {
  readonly version: 4 | 6;
  /** 4 or 16 bytes. An IPv4-mapped IPv6 address has 16. */
  readonly bytes: readonly number[];
  /** Some decimal part was written with leading zeros, which strict readers refuse. */
  readonly leadingZeros: boolean;
}

/** A prefix: `address` with `length` leading bits that count. */
export interface IpPrefix {
  readonly address: IpAddress;
  readonly length: number;
  readonly leadingZeros: boolean;
}

/** Reads an address, decimal leading zeros allowed, zones not; undefined where `text` is none. Source: netutils.ParseIPSloppy. */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > 64) return undefined;
  return text.includes(':') ? parseV6(text) : parseV4(text);
}

/** Reads `address/length`; undefined where `text` is none. Source: netutils.ParseCIDRSloppy. */
export function parseCidr(text: string): IpPrefix | undefined {
  const slash = text.indexOf('/');
  const digits = text.slice(slash + 1);
  const address = slash < 0 ? undefined : parseIp(text.slice(0, slash));
  if (address === undefined || !/^[0-9]{1,10}$/.test(digits) || Number(digits) > address.bytes.length * 8) return undefined;
  return { address, length: Number(digits), leadingZeros: address.leadingZeros || /^0[0-9]/.test(digits) };
}

function parseV4(text: string): IpAddress | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some((part) => !/^[0-9]{1,10}$/.test(part) || Number(part) > 255)) return undefined;
  return { version: 4, bytes: parts.map(Number), leadingZeros: parts.some((part) => /^0[0-9]/.test(part)) };
}

function parseV6(text: string): IpAddress | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '', true) : { bytes: [], leadingZeros: false };
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.bytes.length - tail.bytes.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  const bytes = [...head.bytes, ...new Array<number>(missing).fill(0), ...tail.bytes];
  return { version: 6, bytes, leadingZeros: head.leadingZeros || tail.leadingZeros };
}

/** @param mayEndInV4 - The last group may be a dotted IPv4 address. */
function groupsOf(text: string, mayEndInV4: boolean): { bytes: number[]; leadingZeros: boolean } | undefined {
  const bytes: number[] = [];
  let leadingZeros = false;
  const groups = text === '' ? [] : text.split(':');
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const v4 = mayEndInV4 && index === groups.length - 1 ? parseV4(group) : undefined;
      if (v4 === undefined) return undefined;
      bytes.push(...v4.bytes);
      leadingZeros = v4.leadingZeros;
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    }
  }
  return { bytes, leadingZeros };
}

/** True for an IPv6 address that stands for an IPv4 one: `::ffff:1.2.3.4`. */
export const isMappedV4 = ({ bytes }: IpAddress): boolean =>
  bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;

/** Canonical text (RFC 5952); a mapped IPv4 address prints as IPv4, as Go does. */
export function formatIp(address: IpAddress): string {
  if (address.bytes.length === 4) return address.bytes.join('.');
  if (isMappedV4(address)) return address.bytes.slice(12).join('.');
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((address.bytes[i] ?? 0) << 8) | (address.bytes[i + 1] ?? 0));
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (i < groups.length && groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}

/** The first address of the prefix: bits past the length cleared. */
export function maskedAddress({ address, length }: IpPrefix): IpAddress {
  const bytes = address.bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, length - index * 8));
    return byte & (0xff00 >> kept) & 255;
  });
  return { version: address.version, bytes, leadingZeros: false };
}

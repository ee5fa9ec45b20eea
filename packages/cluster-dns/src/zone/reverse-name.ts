/** The address that a reverse name stands for (`3.2.1.10.in-addr.arpa`); undefined when it is none, or not a whole one. */
export function addressOfReverseName(labels: readonly string[]): Buffer | undefined {
  const [zone, root] = labels.slice(-2);
  if (root !== 'arpa') return undefined;
  if (zone === 'in-addr' && labels.length === 6) return bytesOf(labels.slice(0, 4).reverse(), 10, 255, 1);
  return zone === 'ip6' && labels.length === 34 ? bytesOf(labels.slice(0, 32).reverse(), 16, 15, 2) : undefined;
}

function bytesOf(parts: readonly string[], radix: number, max: number, perByte: number): Buffer | undefined {
  const numbers = parts.map((part) => (/^[0-9a-f]{1,3}$/.test(part) ? Number.parseInt(part, radix) : Number.NaN));
  if (numbers.some((value, index) => !(value <= max) || value.toString(radix) !== parts[index])) return undefined;
  if (perByte === 1) return Buffer.from(numbers);
  return Buffer.from(numbers.flatMap((high, index) => (index % 2 === 0 ? [(high << 4) | (numbers[index + 1] ?? 0)] : [])));
}

/** The zone of a range at the next whole byte (4 bits for IPv6): `10.96.0.0/12` and the name of 10.100.1.2 give `100.10.in-addr.arpa`. */
export function reverseZone(labels: readonly string[], prefixBits: number): string {
  const isV4 = labels.at(-2) === 'in-addr';
  return labels.slice(-2 - Math.ceil(prefixBits / (isV4 ? 8 : 4))).join('.');
}

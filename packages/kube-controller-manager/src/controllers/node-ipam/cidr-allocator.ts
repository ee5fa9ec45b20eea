import { type AddressRange, parseRange } from '@orrery/apimachinery';
import { assert } from '@orrery/base';

/** Cuts the ranges of a cluster into one piece for each node and family. */
export interface CidrAllocator {
  /** Pieces for a node, one of each family in the order of the ranges; undefined when some range has none left. The same again for one name. */
  allocate(nodeName: string): readonly string[] | undefined;
  /** Notes what a node has, so that nobody else gets it. What lies in no range is not ours. */
  occupy(nodeName: string, cidrs: readonly string[]): void;
  /** Gives a node's pieces back. */
  release(nodeName: string): void;
}

/** Bits of a node's piece: `--node-cidr-mask-size-ipv4`, `--node-cidr-mask-size-ipv6`. */
export const defaultMaskSizes: Readonly<Record<AddressRange['family'], number>> = { IPv4: 24, IPv6: 64 };

const PIECES_MAX = 65_536; // As upstream bounds a range: `/16` between the masks.

class Pieces {
  private readonly range: AddressRange;
  private readonly maskSize: number;
  private readonly count: number;
  private readonly step: bigint; // Addresses of a piece.
  private readonly owners = new Map<number, Set<string>>(); // Piece to nodes: several where somebody wrote it by hand.
  private next = 0; // Where the search for a free one begins, so that a piece is not given again at once.

  constructor(text: string, maskSizes: typeof defaultMaskSizes) {
    this.range = parseRange(text);
    this.maskSize = maskSizes[this.range.family];
    const bits = this.maskSize - this.range.prefixLength;
    assert(bits >= 0 && 2 ** bits <= PIECES_MAX, () => `cluster CIDR ${text} cannot be cut into pieces of /${this.maskSize}`);
    this.count = 2 ** bits;
    this.step = this.range.size / BigInt(this.count);
  }

  /** The first free piece from where the last search ended. */
  free(): number | undefined {
    for (let tried = 0; tried < this.count; tried += 1) {
      const piece = (this.next + tried) % this.count;
      if (this.owners.has(piece)) continue;
      this.next = (piece + 1) % this.count;
      return piece;
    }
    return undefined;
  }

  text(piece: number): string {
    return `${this.range.at(BigInt(piece) * this.step)}/${this.maskSize}`;
  }

  /** Pieces that overlap `other`. */
  overlapping(other: AddressRange): number[] {
    const first = this.range.offsetOf(other.at(0n));
    const last = this.range.offsetOf(other.at(other.size - 1n));
    if (other.family !== this.range.family) return [];
    if (first === undefined && last === undefined)
      return other.offsetOf(this.range.at(0n)) === undefined ? [] : this.between(0, this.count - 1);
    return this.between(Number((first ?? 0n) / this.step), last === undefined ? this.count - 1 : Number(last / this.step));
  }

  hold(piece: number, owner: string): void {
    const owners = this.owners.get(piece) ?? new Set();
    this.owners.set(piece, owners.add(owner));
  }

  letGo(piece: number, owner: string): void {
    const owners = this.owners.get(piece);
    owners?.delete(owner);
    if (owners?.size === 0) this.owners.delete(piece);
  }

  private between(first: number, last: number): number[] {
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  }
}

const RESERVED = ''; // Owner of what no node may have; no node has this name.

/**
 * @param clusterCidrs - One of each family, the main one first.
 * @param reserved - Ranges of Services: no node gets a piece that overlaps them.
 */
export function newCidrAllocator(
  clusterCidrs: readonly string[],
  {
    reserved = [],
    maskSizes = defaultMaskSizes,
  }: { readonly reserved?: readonly string[]; readonly maskSizes?: typeof defaultMaskSizes } = {},
): CidrAllocator {
  const ranges = clusterCidrs.map((text) => new Pieces(text, maskSizes));
  const held = new Map<string, { readonly range: Pieces; readonly piece: number }[]>(); // By node.
  const hold = (nodeName: string, range: Pieces, piece: number): void => {
    range.hold(piece, nodeName);
    held.set(nodeName, [...(held.get(nodeName) ?? []), { range, piece }]);
  };
  const occupy = (nodeName: string, cidrs: readonly string[]): void => {
    for (const text of cidrs) {
      for (const range of ranges) for (const piece of range.overlapping(parseRange(text))) hold(nodeName, range, piece);
    }
  };
  const release = (nodeName: string): void => {
    for (const { range, piece } of held.get(nodeName) ?? []) range.letGo(piece, nodeName);
    held.delete(nodeName);
  };
  occupy(RESERVED, reserved);

  return {
    allocate(nodeName) {
      const before = held.get(nodeName);
      if (before !== undefined) return before.map(({ range, piece }) => range.text(piece));
      const found = ranges.map((range) => range.free());
      if (found.some((piece) => piece === undefined)) return undefined;
      for (const [index, range] of ranges.entries()) hold(nodeName, range, found[index] ?? 0);
      return ranges.map((range, index) => range.text(found[index] ?? 0));
    },
    occupy(nodeName, cidrs) {
      release(nodeName);
      occupy(nodeName, cidrs);
    },
    release,
  };
}

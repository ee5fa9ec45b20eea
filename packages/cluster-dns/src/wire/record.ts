import { addressBytes } from './address.ts';
import { recordType } from './constants.ts';
import { encodeName } from './name.ts';

/** A record of class IN that is ready to be sent. */
export interface ResourceRecord {
  /** Absent: the name that was asked for. */
  readonly owner?: string;
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  readonly data: Buffer;
  /** The name within `data`, and where it begins: records that it owns are sent with a pointer to it. */
  readonly target?: { readonly name: string; readonly at: number };
}

/** A or AAAA; undefined when `address` is no address. */
export function addressRecord(address: string, ttl: number, owner?: string): ResourceRecord | undefined {
  const data = addressBytes(address);
  if (data === undefined) return undefined;
  return { ...(owner === undefined ? {} : { owner }), type: data.length === 4 ? recordType.A : recordType.AAAA, ttl, data };
}

/** NS, CNAME, PTR: one name; undefined when `target` is no name. */
export function nameRecord(type: number, target: string, ttl: number, owner?: string): ResourceRecord | undefined {
  const data = encodeName(target);
  return data && { ...(owner === undefined ? {} : { owner }), type, ttl, data, target: { name: target, at: 0 } };
}

export function serviceRecord(target: string, port: number, weight: number, ttl: number): ResourceRecord | undefined {
  const name = encodeName(target);
  if (name === undefined) return undefined;
  const fixed = Buffer.alloc(6);
  fixed.writeUInt16BE(weight, 2);
  fixed.writeUInt16BE(port, 4);
  return { type: recordType.SRV, ttl, data: Buffer.concat([fixed, name]), target: { name: target, at: 6 } };
}

/** @param text - At most 255 bytes. */
export function textRecord(text: string, ttl: number): ResourceRecord {
  const bytes = Buffer.from(text);
  return { type: recordType.TXT, ttl, data: Buffer.concat([Buffer.of(bytes.length), bytes]) };
}

/** Says how long a "no" may be kept: `ttl`, in seconds (RFC 2308). Refresh, retry and expire are CoreDNS's. */
export function startOfAuthority(zone: string, clusterDomain: string, serial: number, ttl: number): ResourceRecord {
  const [primary, contact] = [encodeName(`ns.dns.${clusterDomain}`), encodeName(`hostmaster.${clusterDomain}`)];
  if (primary === undefined || contact === undefined) throw new RangeError(`not a domain: ${clusterDomain}`);
  const numbers = Buffer.alloc(20);
  [serial >>> 0, 7200, 1800, 86_400, ttl].forEach((value, index) => {
    numbers.writeUInt32BE(value, index * 4);
  });
  return { owner: zone, type: recordType.SOA, ttl, data: Buffer.concat([primary, contact, numbers]) };
}

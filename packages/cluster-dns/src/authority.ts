import type { Random } from '@orrery/base';
import { shuffled } from './forward/upstream-health.ts';
import { addressKey, type ByteRange, inRange } from './wire/address.ts';
import { type ResponseCode, recordType, responseCode } from './wire/constants.ts';
import { nameRecord, type ResourceRecord, startOfAuthority } from './wire/record.ts';
import type { Response } from './wire/response.ts';
import type { ClusterZone } from './zone/cluster-zone.ts';
import { addressOfReverseName, reverseZone } from './zone/reverse-name.ts';
import type { Found } from './zone/service-view.ts';

export interface AuthorityOptions {
  /** In lower case, such as `cluster.local`. */
  readonly domain: string;
  readonly zone: ClusterZone;
  /** Names of an address, see `addressKey`. */
  readonly namesOf: (key: string) => readonly string[];
  /** Ranges whose reverse names nobody else knows: what is not found there does not exist. */
  readonly ownRanges: readonly ByteRange[];
  readonly random: Random;
  /** Seconds: how long answers may be kept. */
  readonly ttl: number;
  /** Seconds: how long a "no" may be kept. */
  readonly negativeTtl: number;
  /** False while the copy of the cluster's state is incomplete: then nothing can be said of its names. */
  readonly hasSynced: () => boolean;
  /** Grows with the zone's content. */
  readonly serial: () => number;
}

/** An alias that leads out of the cluster: the answer so far, and whom to look for. */
export interface ForeignAlias {
  readonly target: string;
  readonly answers: readonly ResourceRecord[];
}

/** Answers for the names that are ours: the cluster's zone, and the addresses of its services and pods. */
export interface Authority {
  /** Undefined: not ours to say. @param labels - In lower case. */
  resolve(labels: readonly string[], type: number): Response | ForeignAlias | undefined;
}

/** An alias may lead to an alias; CoreDNS follows as many. */
const ALIASES_MAX = 8;

const failure: Response = { code: responseCode.serverFailure, authoritative: false };

export function newAuthority(options: AuthorityOptions): Authority {
  const { domain, zone, namesOf, ownRanges, random, ttl, negativeTtl, hasSynced, serial } = options;
  const domainLabels = domain.split('.');
  let soa: { readonly serial: number; readonly record: ResourceRecord } | undefined;
  const domainSoa = (): ResourceRecord => {
    if (soa?.serial !== serial()) soa = { serial: serial(), record: startOfAuthority(domain, domain, serial(), negativeTtl) };
    return soa.record;
  };

  const responseTo = (found: Found, type: number, before: readonly ResourceRecord[], owner?: string): Response | ForeignAlias => {
    if (found.kind === 'absent') return denial(responseCode.nameError, domainSoa(), before);
    if (found.kind === 'alias') return follow(found.target, type, before, owner);
    if (found.answers.length === 0) return denial(responseCode.noError, domainSoa(), before);
    const records = shuffled(found.answers, random);
    const answers = owner === undefined ? records : [...before, ...records.map((record) => ({ ...record, owner }))];
    return { ...positive(answers), additionals: found.additionals ?? [] };
  };
  const follow = (target: string, type: number, before: readonly ResourceRecord[], owner?: string): Response | ForeignAlias => {
    const alias = nameRecord(recordType.CNAME, target, ttl, owner);
    if (alias === undefined || before.length >= ALIASES_MAX) return failure;
    const answers = [...before, alias];
    if (type === recordType.CNAME) return positive(answers);
    const below = labelsWithin(target.split('.'), domainLabels);
    return below === undefined ? { target, answers } : responseTo(zone.find(below, type), type, answers, target);
  };

  const resolveReverse = (labels: readonly string[], type: number, address: Buffer): Response | undefined => {
    const range = ownRanges.find((candidate) => inRange(address, candidate));
    const names = namesOf(addressKey(address));
    if (range === undefined && names.length === 0) return undefined;
    if (!hasSynced()) return failure;
    const answers = type === recordType.PTR ? names.flatMap((name) => nameRecord(recordType.PTR, name, ttl) ?? []) : [];
    if (answers.length > 0) return positive(shuffled(answers, random));
    const reverseSoa = startOfAuthority(reverseZone(labels, range?.prefixBits ?? 0), domain, serial(), negativeTtl);
    return denial(names.length > 0 ? responseCode.noError : responseCode.nameError, reverseSoa);
  };

  return {
    resolve(labels, type) {
      const below = labelsWithin(labels, domainLabels);
      if (below === undefined) {
        const address = labels.at(-1) === 'arpa' ? addressOfReverseName(labels) : undefined;
        return address && resolveReverse(labels, type, address);
      }
      if (!hasSynced()) return failure;
      if (below.length === 0 && type === recordType.SOA) return positive([domainSoa()]);
      return responseTo(zone.find(below, type), type, []);
    },
  };
}

const positive = (answers: readonly ResourceRecord[]): Response => ({ code: responseCode.noError, authoritative: true, answers });

/** The SOA record says how long a "no" holds (RFC 2308); `answers` are the aliases on the way. */
function denial(code: ResponseCode, soa: ResourceRecord, answers: readonly ResourceRecord[] = []): Response {
  return { code, authoritative: true, answers, authorities: [soa] };
}

/** What stands left of `domain`; undefined for names elsewhere. */
function labelsWithin(labels: readonly string[], domain: readonly string[]): readonly string[] | undefined {
  const depth = labels.length - domain.length;
  if (depth < 0) return undefined;
  for (let at = 0; at < domain.length; at += 1) if (labels[depth + at] !== domain[at]) return undefined;
  return labels.slice(0, depth);
}

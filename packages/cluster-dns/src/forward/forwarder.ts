import { anySignal, type Clock, type Random, sharedSignal, timeoutSignal } from '@orrery/base';
import { flag, HEADER_BYTES, UDP_BYTES_MAX } from '../wire/constants.ts';
import { encodeQuery } from '../wire/query.ts';
import { KEEP_SECONDS_MAX, newAnswerCache } from './cache.ts';
import { type Exchange, exchangeOverTcp, exchangeOverUdp } from './exchange.ts';
import { type ForeignAnswer, parseForeignAnswer } from './foreign-answer.ts';
import type { Upstream } from './resolv-conf.ts';
import { newUpstreamHealth } from './upstream-health.ts';

export interface ForwarderOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The servers to ask; none: every foreign name is answered by SERVFAIL. Asked before each exchange. */
  readonly upstreams: () => Promise<readonly Upstream[]>;
}

export interface ForeignQuestion {
  /** Name, type and class as bytes, the name in lower case. */
  readonly question: Buffer;
  readonly checkingDisabled: boolean;
  readonly dnssecOk: boolean;
}

export interface Forwarded {
  readonly answer: ForeignAnswer;
  /** For how many seconds the answer may be kept still; the upper bound of its TTLs. */
  readonly secondsLeft: number;
}

/** Asks other servers about names that are not ours, and keeps what they say for a while. */
export interface Forwarder {
  /** Undefined when nobody answered in time. Rejects with {@link Overloaded} when too much is under way. */
  forward(question: ForeignQuestion): Promise<Forwarded | undefined>;
  /** What is kept already. */
  cached(question: ForeignQuestion): Forwarded | undefined;
  /** Ends what is under way. */
  close(): void;
}

/** As CoreDNS's `max_concurrent 1000`. */
const IN_FLIGHT_MAX = 1000;
const ATTEMPT_MS = 2000;
/** Clients give up after 5 s. */
const TOTAL_MS = 4500;

/** More questions are under way to other servers than we allow. */
export class Overloaded extends Error {
  constructor() {
    super(`more than ${IN_FLIGHT_MAX} questions to other servers are under way`);
  }
}

export function newForwarder({ clock, random, upstreams }: ForwarderOptions): Forwarder {
  const cache = newAnswerCache(clock);
  const health = newUpstreamHealth(clock, random);
  /** One exchange for all who ask the same: also what makes a server that asks us back harmless. */
  const underWay = new Map<string, Promise<ForeignAnswer | undefined>>();
  const closed = new AbortController();
  sharedSignal(closed.signal);

  const attempt = async (upstream: Upstream, question: ForeignQuestion, exchange: Exchange, total: AbortSignal): Promise<ForeignAnswer> => {
    const id = random.integer(0x1_0000);
    const flags = flag.recursionDesired | (question.checkingDisabled ? flag.checkingDisabled : 0);
    const query = encodeQuery({ id, flags, question: question.question, edns: { udpBytes: UDP_BYTES_MAX, dnssecOk: question.dnssecOk } });
    const timeout = timeoutSignal(clock, ATTEMPT_MS);
    const any = anySignal(timeout.signal, total, closed.signal);
    try {
      const message = await exchange(upstream, query, (packet) => isAnswerTo(packet, query), any.signal);
      const answer = parseForeignAnswer(message);
      if (answer === undefined) throw new Error('a broken answer');
      return answer;
    } finally {
      any.dispose();
      timeout.dispose();
    }
  };
  const ask = async (upstream: Upstream, question: ForeignQuestion, total: AbortSignal): Promise<ForeignAnswer> => {
    const answer = await attempt(upstream, question, exchangeOverUdp, total);
    if ((answer.packet.readUInt16BE(2) & flag.truncated) === 0) return answer;
    // A server that has no TCP has said something already.
    return attempt(upstream, question, exchangeOverTcp, total).catch(() => answer);
  };
  const resolve = async (key: string, question: ForeignQuestion): Promise<ForeignAnswer | undefined> => {
    const total = timeoutSignal(clock, TOTAL_MS);
    try {
      for (const upstream of health.inOrder(await upstreams())) {
        if (total.signal.aborted || closed.signal.aborted) return undefined;
        const answer = await ask(upstream, question, total.signal).catch(() => undefined);
        health.note(upstream, answer !== undefined);
        if (answer === undefined || !isUsable(answer)) continue;
        cache.put(key, answer);
        return answer;
      }
      return undefined;
    } finally {
      total.dispose();
    }
  };

  return {
    cached: (question) => cache.get(keyOf(question)),
    async forward(question) {
      const key = keyOf(question);
      const known = underWay.get(key);
      if (known === undefined && underWay.size >= IN_FLIGHT_MAX) throw new Overloaded();
      const exchange = known ?? resolve(key, question).finally(() => underWay.delete(key));
      if (known === undefined) underWay.set(key, exchange);
      const answer = await exchange;
      return answer && (cache.get(key) ?? { answer, secondsLeft: KEEP_SECONDS_MAX });
    },
    close: () => closed.abort(new Error('the DNS server ends')),
  };
}

const keyOf = ({ question, checkingDisabled, dnssecOk }: ForeignQuestion): string =>
  `${checkingDisabled ? 1 : 0}${dnssecOk ? 1 : 0}${question.toString('latin1')}`;

/** The number and the question must be those that were sent. Some servers spell the name otherwise. */
function isAnswerTo(packet: Buffer, query: Buffer): boolean {
  const end = query.length - 11; // Without our OPT record.
  if (packet.length < end || packet.readUInt16BE(0) !== query.readUInt16BE(0) || (packet.readUInt16BE(2) & flag.response) === 0)
    return false;
  const [theirs, ours] = [packet.subarray(HEADER_BYTES, end - 4), query.subarray(HEADER_BYTES, end - 4)];
  const sameName = theirs.equals(ours) || theirs.toString('latin1').toLowerCase() === ours.toString('latin1').toLowerCase();
  return sameName && packet.subarray(end - 4, end).equals(query.subarray(end - 4, end));
}

/** A server that cannot or will not say leaves the word to the next. */
const isUsable = ({ code }: ForeignAnswer): boolean => code === 0 || code === 3;

import type { Authority, ForeignAlias } from './authority.ts';
import { recordsOf } from './forward/foreign-answer.ts';
import { encodeForeignResponse } from './forward/foreign-response.ts';
import { type ForeignQuestion, type Forwarder, Overloaded } from './forward/forwarder.ts';
import {
  CLASS_IN,
  flag,
  HEADER_BYTES,
  type ResponseCode,
  recordType,
  responseCode,
  TCP_BYTES_MAX,
  UDP_BYTES_DEFAULT,
  UDP_BYTES_MAX,
} from './wire/constants.ts';
import { encodeName } from './wire/name.ts';
import { encodeQuestion, parseQuery, type Query } from './wire/query.ts';
import { encodeRefusal, encodeResponse, type Response } from './wire/response.ts';

export interface ResolverOptions {
  readonly authority: Authority;
  readonly forwarder: Forwarder;
  /** Told the code of each answer. */
  readonly onResponse?: (code: number) => void;
}

/** How the message came: UDP answers are cut to what the client can take. */
export type Channel = 'udp' | 'tcp';

/** Answers one message after another. */
export interface Resolver {
  /** Calls `reply` once, at once for names of our own; never for messages that deserve no answer. Never throws. */
  answer(packet: Buffer, channel: Channel, reply: (message: Buffer) => void): void;
}

/** One question on its way to an answer. */
interface Asked {
  readonly packet: Buffer;
  readonly query: Query;
  readonly limitBytes: number;
  readonly reply: (message: Buffer) => void;
}

export function newResolver({ authority, forwarder, onResponse }: ResolverOptions): Resolver {
  const send = ({ packet, query, limitBytes, reply }: Asked, response: Response): void => {
    onResponse?.(response.code);
    reply(encodeResponse(packet, query, response, limitBytes));
  };

  const sendAlias = async (asked: Asked, { target, answers }: ForeignAlias): Promise<void> => {
    const question = encodeQuestion(encodeName(target) ?? Buffer.of(0), asked.query.type);
    const forwarded = await forwarder.forward({ question, checkingDisabled: false, dnssecOk: false }).catch(() => undefined);
    // The alias itself is certain, whatever becomes of its target.
    if (forwarded === undefined) return send(asked, { code: responseCode.serverFailure, authoritative: true, answers });
    const code = forwarded.answer.code === responseCode.nameError ? responseCode.nameError : responseCode.noError;
    const records = recordsOf(forwarded.answer).map((record) => ({ ...record, ttl: Math.min(record.ttl, forwarded.secondsLeft) }));
    send(asked, { code, authoritative: true, answers: [...answers, ...records] });
  };

  const forward = async (asked: Asked): Promise<void> => {
    const { packet, query, limitBytes, reply } = asked;
    const question = foreignQuestion(packet, query);
    try {
      const forwarded = forwarder.cached(question) ?? (await forwarder.forward(question));
      if (forwarded === undefined) return send(asked, refusal(responseCode.serverFailure));
      onResponse?.(forwarded.answer.code);
      reply(encodeForeignResponse(packet, query, forwarded.answer, forwarded.secondsLeft, limitBytes));
    } catch (error) {
      send(asked, refusal(error instanceof Overloaded ? responseCode.refused : responseCode.serverFailure));
    }
  };

  const route = (asked: Asked): void => {
    const { labels, type } = asked.query;
    const refused = refusedAs(asked.query);
    const response = refused === undefined ? authority.resolve(labels, type) : refusal(refused);
    if (response === undefined) void forward(asked);
    else if ('target' in response) void sendAlias(asked, response);
    else send(asked, response);
  };

  return {
    answer(packet, channel, reply) {
      const query = parseQuery(packet);
      if (query === undefined) return;
      if ('refusal' in query) {
        onResponse?.(query.refusal);
        reply(encodeRefusal(query));
      } else route({ packet, query, limitBytes: limitOf(query, channel), reply });
    },
  };
}

const refusal = (code: ResponseCode): Response => ({ code, authoritative: false });

/** Questions that we do not answer whatever the name: other versions of EDNS, other classes, transfers of the whole zone. */
function refusedAs({ edns, class: queryClass, type }: Query): ResponseCode | undefined {
  if (edns !== undefined && edns.version !== 0) return responseCode.badVersion;
  const isTransfer = type === recordType.AXFR || type === recordType.IXFR;
  return queryClass !== CLASS_IN || isTransfer || type === recordType.OPT ? responseCode.refused : undefined;
}

function limitOf({ edns }: Query, channel: Channel): number {
  if (channel === 'tcp') return TCP_BYTES_MAX;
  return edns === undefined ? UDP_BYTES_DEFAULT : Math.min(edns.udpBytes, UDP_BYTES_MAX);
}

/** The question with its name in lower case, so that one answer serves all spellings. */
function foreignQuestion(packet: Buffer, { questionEnd, flags, edns }: Query): ForeignQuestion {
  const question = Buffer.from(packet.subarray(HEADER_BYTES, questionEnd));
  for (let at = 0; at < question.length - 4; at += 1) {
    const byte = question[at] ?? 0;
    if (byte >= 0x41 && byte <= 0x5a) question[at] = byte + 0x20;
  }
  return { question, checkingDisabled: (flags & flag.checkingDisabled) !== 0, dnssecOk: edns?.dnssecOk === true };
}

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Random } from '@orrery/base';
import { KEY_HEADER } from '../protocol.ts';

const SECRET_BYTES = 32;

/**
 * Who may talk to the page's server. The printed address carries `token` in its fragment, which no browser sends; the page trades it for a
 * cookie that scripts cannot read and a key that only this origin's scripts can. Both are asked for: cookies of 127.0.0.1 go to every port.
 */
export interface Gate {
  /** In the printed address. */
  readonly token: string;
  /** Why a request is refused before anything else is looked at; undefined when it may go on. */
  refusal(request: IncomingMessage): string | undefined;
  /** Trades the token. Undefined when it is wrong. */
  enter(token: string): { readonly cookie: string; readonly key: string } | undefined;
  /** True when the request carries what `enter` gave. */
  admits(request: IncomingMessage): boolean;
}

/** @param port - Of the listening server, asked late. */
export function newGate(random: Random, port: () => number): Gate {
  const secret = (): string => Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url');
  const [token, session, key] = [secret(), secret(), secret()];
  const cookieName = (): string => `orrery-dashboard-${port()}`;
  return {
    token,
    refusal: (request) => refusalOf(request, port()),
    enter(given) {
      if (!equalSecrets(given, token)) return undefined;
      return { cookie: `${cookieName()}=${session}; HttpOnly; SameSite=Strict; Path=/`, key };
    },
    admits({ headers }) {
      const given = headers[KEY_HEADER];
      const cookie = cookieOf(headers.cookie, cookieName());
      return typeof given === 'string' && equalSecrets(given, key) && cookie !== undefined && equalSecrets(cookie, session);
    },
  };
}

/** A name that an attacker makes point to 127.0.0.1 is in Host; a page of another site is in Origin and Sec-Fetch-Site. */
function refusalOf({ headers }: IncomingMessage, port: number): string | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (headers.host === undefined || !hosts.includes(headers.host)) return 'unknown host';
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) return 'foreign origin';
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
  // A link on another page may open ours: it shows nothing without a key. No other page's script or frame may ask for anything.
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document' ? undefined : 'foreign site';
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  const found = (header ?? '').split(';').map((pair) => pair.trim().split('='));
  return found.find(([key]) => key === name)?.[1];
}

/** Compares hashes, so that neither length nor first difference shows in the time it takes. */
function equalSecrets(left: string, right: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(left), hash(right));
}

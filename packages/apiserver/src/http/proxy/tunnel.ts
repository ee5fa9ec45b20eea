import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { newInternalError } from '@orrery/apimachinery';
import type { Clock, Timer } from '@orrery/base';
import { protocolsWithoutToken } from '../../authentication/bearer-token.ts';
import { type Exchange, headerOf } from '../exchange.ts';
import { drained } from '../send.ts';
import type { ConnectTarget } from './connector.ts';
import { requestHeaders, responseHeaders } from './forward-headers.ts';
import { unreachable } from './target-error.ts';
import { upgradeTo } from './target-request.ts';

/** Joins the client's connection to the target's once the target has agreed to the upgrade. Resolves when both have ended. */
export async function tunnel(exchange: Exchange, target: ConnectTarget, clock: Clock): Promise<void> {
  const { upgrade, signal } = exchange;
  if (upgrade === undefined) throw new TypeError('not an upgrade request');
  const outgoing = upgradeTo(target, exchange.method, upgradeHeaders(exchange, target));
  const cancel = (): void => void outgoing.destroy(new Error('the request was cancelled'));
  signal.addEventListener('abort', cancel, { once: true });
  outgoing.end();
  try {
    const agreed = await agreementOf(outgoing);
    if (agreed.socket === undefined) await refuse(exchange, agreed.answer);
    else {
      greet(exchange, upgrade, agreed);
      await joined(upgrade.socket, agreed.socket, signal, clock);
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    outgoing.destroy();
  }
}

function upgradeHeaders(exchange: Exchange, target: ConnectTarget): Exchange['headers'] {
  const { request } = exchange;
  const protocols = protocolsWithoutToken(request.headers);
  return {
    ...requestHeaders(exchange, target),
    Connection: 'Upgrade',
    Upgrade: headerOf(request, 'upgrade') ?? 'websocket',
    ...(protocols.length === 0 ? {} : { 'Sec-WebSocket-Protocol': protocols.join(', ') }),
  };
}

interface Agreement {
  readonly answer: IncomingMessage;
  readonly socket: Duplex | undefined;
  readonly head: Buffer;
}

function agreementOf(outgoing: ClientRequest): Promise<Agreement> {
  return new Promise((resolve, reject) => {
    outgoing.once('upgrade', (answer, socket, head) => resolve({ answer, socket, head }));
    outgoing.once('response', (answer) => resolve({ answer, socket: undefined, head: Buffer.alloc(0) }));
    outgoing.on('error', (error) => reject(unreachable(error)));
  });
}

/** The target said no: its own words go to the client. */
async function refuse(exchange: Exchange, answer: IncomingMessage): Promise<void> {
  const { response, signal } = exchange;
  const code = answer.statusCode ?? 502;
  if (code < 400) throw newInternalError(`invalid upgrade response: status code ${code}`);
  response.writeHead(code, { ...responseHeaders(answer.headers), connection: 'close' });
  for await (const chunk of answer as AsyncIterable<Buffer>) if (!response.write(chunk)) await drained(response, signal);
  response.end();
}

/** Tells the client that the target has agreed, and passes on what either side sent along with its first words. */
function greet(
  exchange: Exchange,
  { socket: near, head: nearHead }: NonNullable<Exchange['upgrade']>,
  { answer, socket: far, head }: Agreement,
): void {
  (exchange.response as unknown as ServerResponse).detachSocket(near as never);
  const lines = ['HTTP/1.1 101 Switching Protocols'];
  const { rawHeaders } = answer;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  near.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (head.length > 0) near.write(head);
  if (nearHead.length > 0) far?.write(nearHead);
}

/** How long one side may go on after the other has ended. A client that is gone looks like one that has ended its side. */
const halfOpenMs = 300_000;

/** Bytes both ways, each at the pace of its reader; one side's end is passed on and the other goes on until it ends too. */
export function joined(near: Duplex, far: Duplex, signal: AbortSignal, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    let timer: Timer | undefined;
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    const closed = (other: Duplex) => (): void => {
      open--;
      if (!other.writableEnded) other.end();
      if (open > 0) return;
      timer?.cancel();
      signal.removeEventListener('abort', cut);
      resolve();
    };
    const ended = (): void => {
      timer ??= clock.after(halfOpenMs, cut, { background: true });
    };
    near.once('end', ended);
    far.once('end', ended);
    near.on('error', cut);
    far.on('error', cut);
    near.once('close', closed(far));
    far.once('close', closed(near));
    near.pipe(far);
    far.pipe(near);
    signal.addEventListener('abort', cut, { once: true });
    if (signal.aborted) cut();
  });
}

import { isIPv4 } from 'node:net';

/** A UDP flow that the kernel remembers, as far as it tells where to it goes. */
export interface UdpFlow {
  /** What the client sent to. */
  readonly destination: string;
  readonly destinationPort: number;
  /** Who answers: the endpoint when the destination was translated. */
  readonly answerer: string;
  readonly answererPort: number;
}

const WORD = /(src|dst|sport|dport)=(\S+)/g;

/** Reads the lines of `conntrack -L -p udp`: the tuple as sent, then the tuple as answered. */
export function parseFlows(text: string): UdpFlow[] {
  return text.split('\n').flatMap((line) => {
    const words = [...line.matchAll(WORD)].map(([, name, value]) => [name, value] as const);
    if (words.length < 8) return [];
    const sent = Object.fromEntries(words.slice(0, 4));
    const answered = Object.fromEntries(words.slice(4, 8));
    const flow = {
      destination: sent['dst'] ?? '',
      destinationPort: Number(sent['dport']),
      answerer: answered['src'] ?? '',
      answererPort: Number(answered['sport']),
    };
    return Number.isInteger(flow.destinationPort) && Number.isInteger(flow.answererPort) ? [flow] : [];
  });
}

/** Arguments that forget the flow, and every other that leads the same way. */
export const deleteArguments = ({ destination, destinationPort, answerer, answererPort }: UdpFlow): readonly string[] => [
  ...['-D', '-f', isIPv4(destination) ? 'ipv4' : 'ipv6', '-p', 'udp'],
  ...['--orig-dst', destination, '--orig-port-dst', `${destinationPort}`],
  ...['--reply-src', answerer, '--reply-port-src', `${answererPort}`],
];

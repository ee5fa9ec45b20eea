import { constants } from 'node:os';

const SIGRTMIN = 34; // As glibc and musl count: the kernel's first two are the C library's own.
const SIGRTMAX = 64;
const SIGTERM = 15;

/** A signal's number, from CRI's spelling (`SIGRTMINPLUS3`), an image's (`SIGRTMIN+3`, `9`, `TERM`), or SIGTERM when nobody said one. */
export function signalNumber(name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const plain = name.toUpperCase().replace(/^SIG/, '').replace('PLUS', '+').replace('MINUS', '-');
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(plain);
  if (realTime !== null) {
    const distance = Number(realTime[3] ?? 0) * (realTime[2] === '-' ? -1 : 1);
    const found = (realTime[1] === 'MIN' ? SIGRTMIN : SIGRTMAX) + distance;
    return found >= SIGRTMIN && found <= SIGRTMAX ? found : SIGTERM;
  }
  const aliases: Readonly<Record<string, string>> = { CLD: 'CHLD', POLL: 'IO' };
  return constants.signals[`SIG${aliases[plain] ?? plain}` as NodeJS.Signals] ?? SIGTERM;
}

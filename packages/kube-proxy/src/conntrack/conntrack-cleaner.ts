import type { Logger } from '@orrery/component';
import type { ProxyChanges } from '../backend.ts';
import type { Machine } from '../machine.ts';
import type { ProxyPort } from '../model/service-port.ts';
import { deleteArguments, parseFlows } from './flow.ts';
import { answerersOf, staleFlows } from './stale-flows.ts';

export interface ConntrackCleaner {
  /** After a change was programmed: forgets UDP flows to endpoints that are no more. Never rejects but by `signal`. */
  clean(changes: ProxyChanges, signal: AbortSignal): Promise<void>;
}

export function newConntrackCleaner(machine: Machine, nodeIps: readonly string[], log: Logger): ConntrackCleaner {
  /** UDP ports by Service, as last programmed. */
  const known = new Map<string, readonly ProxyPort[]>();
  let isMissing = false;

  /** What the changes concern, before and after: an address that is gone has no answerers. */
  const concerned = (changes: ProxyChanges) => {
    const before: ProxyPort[] = [];
    const after: ProxyPort[] = [];
    for (const [key, ports] of changes) {
      const udp = ports.filter(({ protocol }) => protocol === 'UDP');
      before.push(...(known.get(key) ?? []));
      after.push(...udp);
      if (udp.length === 0) known.delete(key);
      else known.set(key, udp);
    }
    const gone = new Map([...answerersOf(before, nodeIps).keys()].map((address) => [address, new Set<string>()] as const));
    return new Map([...gone, ...answerersOf(after, nodeIps)]);
  };

  return {
    async clean(changes, signal) {
      const answerers = concerned(changes);
      if (answerers.size === 0 || isMissing) return;
      try {
        const { stdout } = await machine.run('conntrack', ['-L', '-p', 'udp'], { signal });
        for (const flow of staleFlows(parseFlows(stdout), answerers)) await machine.run('conntrack', deleteArguments(flow), { signal });
      } catch (error) {
        if (signal.aborted) throw error;
        isMissing = true;
        log.warn('cannot run conntrack: UDP clients may keep sending to endpoints that are gone', { error });
      }
    },
  };
}

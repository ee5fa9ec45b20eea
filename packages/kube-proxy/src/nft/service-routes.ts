import { createHash } from 'node:crypto';
import type { Machine } from '../machine.ts';

/** Tells the routes of one instance from those of others: they say nothing else that is their own. */
const metricOf = (instanceId: string): number => createHash('sha256').update(instanceId).digest().readUInt32BE() >>> 2;

const familyFlag = (cidr: string): '-4' | '-6' => (cidr.includes(':') ? '-6' : '-4');

/**
 * Makes Service addresses reachable from this machine itself also where it has no default route: its own packets are translated only
 * after they were given a route. The route leads to the loopback device, as one to the pods' own bridge would have the kernel tell pods
 * (by ICMP redirects) that Services are their neighbours.
 * @param source - Address of this machine that pods can answer.
 * @throws Error when the address is not there (yet).
 */
export async function routeServices(machine: Machine, instanceId: string, cidr: string, source: string | undefined): Promise<void> {
  const { code, stderr } = await machine.run('ip', [
    ...[familyFlag(cidr), 'route', 'replace', cidr, 'dev', 'lo', 'metric', `${metricOf(instanceId)}`],
    ...(source === undefined ? [] : ['src', source]),
  ]);
  if (code !== 0) throw new Error(`ip route replace ${cidr}: ${stderr.trim()}`);
}

/** Removes the routes of one instance. */
export async function unrouteServices(machine: Machine, instanceId: string): Promise<void> {
  const metric = `metric ${metricOf(instanceId)}`;
  for (const flag of ['-4', '-6']) {
    const { stdout } = await machine.run('ip', [flag, 'route', 'show', 'dev', 'lo']);
    for (const line of stdout.split('\n')) {
      const [cidr = ''] = line.split(' ');
      if (line.includes(metric)) await machine.run('ip', [flag, 'route', 'delete', cidr, 'dev', 'lo', ...metric.split(' ')]);
    }
  }
}

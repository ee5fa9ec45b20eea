import type { ServicePort, ServiceSpec } from '@orrery/api/core/v1';
import { type Draft, type FieldError, invalid, newInternalError } from '@orrery/apimachinery';
import type { Random } from '@orrery/base';
import { portId, type Taken } from './taken.ts';

/** Both ends belong to it. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Ports at the start are left to those who ask for one (KEP-3668): a thirty-second, 16 to 128 of them. */
const STATIC_MIN = 16;
const STATIC_MAX = 128;

/** Gives every port of the Service a node port. A number may serve one TCP and one UDP port: both get it. */
export function allocateNodePorts(spec: Draft<ServiceSpec>, range: PortRange, taken: Taken, random: Random): FieldError[] {
  const ports = spec.ports ?? [];
  const errors = ports.flatMap((port, index) => claim(port, index, range, taken));
  if (errors.length > 0) return errors;
  for (const port of ports) {
    if (port.nodePort) continue;
    const twin = ports.find((other) => other.port === port.port && other.nodePort && !taken.has(portId(port.protocol, other.nodePort)));
    port.nodePort = twin?.nodePort ?? pickPort(range, port.protocol, taken, random);
    taken.take(portId(port.protocol, port.nodePort));
  }
  return [];
}

function claim({ nodePort, protocol }: Draft<ServicePort>, index: number, range: PortRange, taken: Taken): FieldError[] {
  if (!nodePort) return [];
  const reason = refusal(nodePort, protocol, range, taken);
  if (reason !== undefined) return [invalid(`spec.ports[${index}].nodePort`, nodePort, reason)];
  taken.take(portId(protocol, nodePort));
  return [];
}

function refusal(port: number, protocol: string | undefined, { from, to }: PortRange, taken: Taken): string | undefined {
  if (port < from || port > to) return `provided port is not in the valid range. The range of valid ports is ${from}-${to}`;
  return taken.has(portId(protocol, port)) ? 'provided port is already allocated' : undefined;
}

/** The port on which every node answers whether pods of the Service run there. */
export function allocateHealthCheckPort(spec: Draft<ServiceSpec>, range: PortRange, taken: Taken, random: Random): FieldError[] {
  const asked = spec.healthCheckNodePort;
  if (asked) {
    const reason = refusal(asked, 'TCP', range, taken);
    if (reason !== undefined) return [invalid('spec.healthCheckNodePort', asked, reason)];
  }
  spec.healthCheckNodePort = asked || pickPort(range, 'TCP', taken, random);
  taken.take(portId('TCP', spec.healthCheckNodePort));
  return [];
}

/** A free port, of every protocol where there is one. @throws StatusError InternalError when the range is full. */
function pickPort({ from, to }: PortRange, protocol: string | undefined, taken: Taken, random: Random): number {
  const size = to - from + 1;
  const share = Math.min(Math.max(STATIC_MIN, Math.floor(size / 32)), STATIC_MAX);
  const start = share < size ? share : 0;
  for (const [low, high] of [
    [start, size],
    [0, start],
  ] as const) {
    const count = high - low;
    const first = count > 0 ? random.integer(count) : 0;
    for (let step = 0; step < count; step++) {
      const port = from + low + ((first + step) % count);
      if (!taken.has(portId(protocol, port))) return port;
    }
  }
  throw newInternalError(new Error('failed to allocate a nodePort: range is full'));
}

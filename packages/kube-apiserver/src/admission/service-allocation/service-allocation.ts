import { services } from '@orrery/api';
import type { Service } from '@orrery/api/core/v1';
import { type Draft, type FieldError, keyOf, newInvalid } from '@orrery/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/apiserver';
import { type AddressRange, type IpFamily, parseRange } from '../../registry/addresses.ts';
import {
  isHeadless,
  needsClusterIp,
  needsHealthCheckPort,
  needsNodePorts,
  normaliseClusterIps,
} from '../../registry/core/service/families.ts';
import { dropTypeDependentFields, patchAllocatedValues } from '../../registry/core/service/type-transition.ts';
import { validateService, validateServiceUpdate } from '../../registry/core/service/validation.ts';
import type { AdmissionContext } from '../context.ts';
import { isFor } from '../refusal.ts';
import { bookAddresses, isHeld, readyRanges } from './address-book.ts';
import { type Addresses, allocateClusterIps } from './cluster-ips.ts';
import { fillFamilies } from './ip-families.ts';
import { allocateHealthCheckPort, allocateNodePorts, type PortRange } from './node-ports.ts';
import { Reservations } from './reservations.ts';
import { idsOf, Taken } from './taken.ts';

export interface ServiceAllocationOptions {
  /** Service addresses, one range or one of each family, the default family first. @default ['10.96.0.0/12'] */
  readonly serviceCidrs?: readonly string[];
  /** @default 30000 to 32767 */
  readonly nodePorts?: PortRange;
}

interface Allocation {
  /** The cluster's, the default first. */
  readonly families: readonly IpFamily[];
  /** Where addresses come from; those of the first are taken first. */
  readonly ranges: readonly AddressRange[];
  readonly nodePorts: PortRange;
  readonly reservations: Reservations;
}

export const DEFAULT_SERVICE_CIDR = '10.96.0.0/12';
const DEFAULT_NODE_PORTS: PortRange = { from: 30_000, to: 32_767 };

/**
 * Gives Services their addresses and node ports. Node ports are recorded by the Services that have them alone. Addresses have a book:
 * an IPAddress each, made right before the Service is stored (KEP-1880). See {@link Reservations} for writes under way. Has to come after
 * every plugin that changes or judges Services.
 */
export function newServiceAllocation(context: AdmissionContext, options: ServiceAllocationOptions = {}): AdmissionPlugin {
  const { serviceCidrs = [DEFAULT_SERVICE_CIDR], nodePorts = DEFAULT_NODE_PORTS } = options;
  const own = serviceCidrs.map(parseRange);
  const allocation: Allocation = {
    families: own.map(({ family }) => family),
    ranges: own,
    nodePorts,
    reservations: new Reservations(context.clock),
  };
  return {
    name: 'ServiceAllocation',
    async admit(draft, attributes) {
      if (!isFor(attributes, 'services')) return;
      const { operation, namespace = '', name, dryRun } = attributes;
      if (operation === 'DELETE') allocation.reservations.forget(`${namespace}/${name}`);
      if (draft === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
      const service = draft as Draft<Service>;
      const old = oldOf(attributes);
      if (old !== undefined) allocation.reservations.settle(keyOf(old), idsOf(old));
      prepare(service, attributes);
      if (!needsClusterIp(service.spec) || invalidAnyway(service as Service, attributes)) return;
      const { items } = await context.client().list(services);
      const taken = new Taken(
        items,
        allocation.reservations,
        keyOf({ metadata: { namespace, name: name || service.metadata.generateName || '' } }),
      );
      const owner = { namespace, name };
      const addresses: Addresses = {
        isTaken: async (ip) => taken.has(ip) || isHeld(context.client(), ip, owner),
        take: (ip) => taken.take(ip),
      };
      const ranges = [...allocation.ranges, ...(await readyRanges(context.client()))];
      const errors = await allocate(service, { ...allocation, ranges }, taken, addresses, context);
      if (errors.length > 0) throw newInvalid({ group: '', kind: 'Service' }, name, errors);
      if (!dryRun) taken.commit();
    },
    async validate(object, attributes) {
      if (object === undefined || attributes.dryRun || !isFor(attributes, 'services')) return;
      if (attributes.operation !== 'CREATE' && attributes.operation !== 'UPDATE') return;
      await bookAddresses(context.client(), object as Service, oldOf(attributes));
    },
  };
}

const oldOf = ({ operation, old }: AdmissionAttributes): Service | undefined =>
  operation === 'UPDATE' ? (old as Service | undefined) : undefined;

/** The strategy's own preparation, early: it says what is still to be allocated. It does the same again later. */
function prepare({ spec }: Draft<Service>, attributes: AdmissionAttributes): void {
  const old = oldOf(attributes);
  normaliseClusterIps(spec, old?.spec);
  if (old === undefined) return;
  patchAllocatedValues(spec, old.spec);
  dropTypeDependentFields(spec, old.spec);
}

/** What will be refused gets nothing, so that the refusal is about the mistake. */
function invalidAnyway(service: Service, attributes: AdmissionAttributes): boolean {
  const old = oldOf(attributes);
  return (old === undefined ? validateService(service) : validateServiceUpdate(service, old)).length > 0;
}

async function allocate(
  { spec }: Draft<Service>,
  { families, ranges, nodePorts }: Allocation,
  taken: Taken,
  addresses: Addresses,
  { random }: AdmissionContext,
): Promise<FieldError[]> {
  const errors = fillFamilies(spec, families);
  if (errors.length > 0) return errors;
  if (!isHeadless(spec)) errors.push(...(await allocateClusterIps(spec, ranges, addresses, random)));
  if (errors.length === 0 && needsNodePorts(spec)) errors.push(...allocateNodePorts(spec, nodePorts, taken, random));
  else if (errors.length === 0 && spec.type === 'LoadBalancer') errors.push(...claimGiven(spec, nodePorts, taken, random));
  if (errors.length === 0 && needsHealthCheckPort(spec)) errors.push(...allocateHealthCheckPort(spec, nodePorts, taken, random));
  return errors;
}

/** A load balancer without node ports keeps those that it names. */
function claimGiven(spec: Draft<Service>['spec'], range: PortRange, taken: Taken, random: AdmissionContext['random']): FieldError[] {
  const named = (spec.ports ?? []).filter(({ nodePort }) => nodePort);
  return named.length === 0 ? [] : allocateNodePorts({ ...spec, ports: named }, range, taken, random);
}

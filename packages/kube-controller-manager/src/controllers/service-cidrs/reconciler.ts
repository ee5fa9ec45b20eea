import { ipAddresses, serviceCidrs } from '@orrery/api';
import type { IPAddress, ServiceCIDR } from '@orrery/api/networking/v1';
import { formatTime, parseRange } from '@orrery/apimachinery';
import { setCondition } from '@orrery/client';
import type { Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';

const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
/** A range that is to go stays so long: what is being allocated from it must have shown by then. Source: deletionGracePeriod. */
const GRACE_MS = 10_000;
const IN_USE = 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';

/** Source: servicecidrs.Controller. */
export function newServiceCidrReconciler({ client, informers, clock, recorderFor }: ControllerContext): Reconciler {
  const cidrLister = informers.informer(serviceCidrs).lister;
  const addressLister = informers.informer(ipAddresses).lister;
  const recorder = recorderFor('service-cidr-controller');

  const setReady = async (cidr: ServiceCIDR, status: 'True' | 'False', reason: string, message: string): Promise<void> => {
    const known = cidr.status?.conditions;
    const now = clock.now();
    const conditions = setCondition(known, { type: 'Ready', status, reason, message, lastTransitionTime: formatTime(now) }, now);
    if (conditions !== known) await client.updateStatus(serviceCidrs, { ...cidr, status: { conditions } });
  };

  const finish = async (cidr: ServiceCIDR): Promise<{ requeueAfterMs?: number }> => {
    const { finalizers = [], deletionTimestamp = '' } = cidr.metadata;
    if (!finalizers.includes(FINALIZER)) return {};
    if (isNeeded(cidr, cidrLister.list(), addressLister.list())) {
      await setReady(cidr, 'False', 'Terminating', IN_USE);
      return {};
    }
    const leftMs = Date.parse(deletionTimestamp) + GRACE_MS - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const rest = finalizers.filter((name) => name !== FINALIZER);
    await client.update(serviceCidrs, { ...cidr, metadata: { ...cidr.metadata, finalizers: rest } });
    return {};
  };

  return {
    async reconcile({ name }) {
      const cidr = cidrLister.get(name);
      if (cidr === undefined) return {};
      if (cidr.metadata.deletionTimestamp !== undefined) return finish(cidr);
      const { finalizers = [] } = cidr.metadata;
      if (!finalizers.includes(FINALIZER)) {
        await client.update(serviceCidrs, { ...cidr, metadata: { ...cidr.metadata, finalizers: [...finalizers, FINALIZER] } });
        return {}; // The change that this makes comes back here.
      }
      if (cidr.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true) return {};
      await setReady(cidr, 'True', '', 'Kubernetes Service CIDR is ready');
      recorder.event(cidr, 'Normal', 'KubernetesServiceCIDRReady', 'Kubernetes Service CIDR is ready');
      return {};
    },
  };
}

/** Whether an address of a Service would lie in no range if this one went. */
export function isNeeded(cidr: ServiceCIDR, all: readonly ServiceCIDR[], addresses: readonly IPAddress[]): boolean {
  const ranges = ({ spec }: ServiceCIDR) => (spec?.cidrs ?? []).map(parseRange);
  const own = ranges(cidr);
  const others = all
    .filter(({ metadata }) => metadata.uid !== cidr.metadata.uid && metadata.deletionTimestamp === undefined)
    .flatMap(ranges);
  return addresses.some(({ metadata: { name } }) => {
    const isIn = (range: ReturnType<typeof parseRange>): boolean => range.offsetOf(name) !== undefined;
    return own.some(isIn) && !others.some(isIn);
  });
}

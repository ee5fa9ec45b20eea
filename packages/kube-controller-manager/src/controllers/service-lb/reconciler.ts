import { endpointSlices, nodes, services } from '@orrery/api';
import type { LoadBalancerIngress, Service } from '@orrery/api/core/v1';
import { keyOf } from '@orrery/apimachinery';
import type { Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { balancedAddresses, isBalanced, portConflict, reservedPort } from './balanced-nodes.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const sliceIndex = 'service-lb/service';

/**
 * Gives a balanced Service the addresses of nodes. There is nothing outside of the API to undo, so Services get no finalizer. Statuses of
 * Services that never were balanced here are left alone. Source: the service controller of cloud providers.
 */
export function newServiceLbReconciler({ client, informers, recorderFor }: ControllerContext): Reconciler {
  const serviceLister = informers.informer(services).lister;
  const nodeLister = informers.informer(nodes).lister;
  const sliceLister = informers.informer(endpointSlices, {
    indexers: { [sliceIndex]: ({ metadata: { namespace = '', labels } }) => `${namespace}/${labels?.[SERVICE_NAME_LABEL] ?? ''}` },
  }).lister;
  const recorder = recorderFor('service-controller');

  const refusal = (service: Service): string | undefined => {
    const conflict = portConflict(service, serviceLister.list());
    if (conflict !== undefined) return `port ${conflict.port} is taken by Service ${keyOf(conflict.owner)}`;
    const system = ['default/kubernetes', 'kube-system/kube-dns'].flatMap((key) => sliceLister.byIndex(sliceIndex, key));
    const reserved = reservedPort(service, nodeLister.list(), system);
    return reserved === undefined ? undefined : `port ${reserved} is used by the nodes themselves`;
  };

  const wanted = (service: Service): readonly LoadBalancerIngress[] => {
    const problem = refusal(service);
    if (problem !== undefined) {
      recorder.event(service, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: ${problem}`);
      return [];
    }
    const slices = sliceLister.byIndex(sliceIndex, keyOf(service));
    const addresses = balancedAddresses(service, nodeLister.list(), slices);
    if (addresses.length === 0)
      recorder.event(service, 'Warning', 'UnAvailableLoadBalancer', 'There are no available nodes for LoadBalancer');
    return addresses.map((ip) => ({ ip, ipMode: 'VIP' }));
  };

  const setIngress = async (service: Service, ingress: readonly LoadBalancerIngress[], signal: AbortSignal): Promise<void> => {
    const loadBalancer = ingress.length === 0 ? {} : { ingress };
    await client.updateStatus(services, { ...service, status: { ...service.status, loadBalancer } }, { signal });
  };

  return {
    async reconcile(key, signal) {
      const service = serviceLister.get({ namespace: key.namespace ?? '', name: key.name });
      if (service === undefined || service.metadata.deletionTimestamp !== undefined) return {};
      const known = service.status?.loadBalancer?.ingress ?? [];
      if (!isBalanced(service)) {
        // Left over from when it was: the class does not change, so another type says it is ours.
        if (service.spec.type === 'LoadBalancer' || known.length === 0) return {};
        recorder.event(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer');
        await setIngress(service, [], signal);
        recorder.event(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer');
        return {};
      }
      const ingress = wanted(service);
      if (JSON.stringify(ingress.map(({ ip }) => ip)) === JSON.stringify(known.map(({ ip }) => ip))) return {};
      if (known.length === 0) recorder.event(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
      await setIngress(service, ingress, signal);
      if (ingress.length > 0) recorder.event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
      return {};
    },
  };
}

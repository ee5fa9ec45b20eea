import { endpointSlices, nodes, services } from '@orrery/api';
import type { Node } from '@orrery/api/core/v1';
import { type ControllerDescriptor, newController, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { isBalanced, mayBalance } from './balanced-nodes.ts';
import { newServiceLbReconciler, SERVICE_NAME_LABEL } from './reconciler.ts';

const NAME = 'service-lb-controller';

/** Makes the nodes themselves the load balancer of Services that ask for one and name no class. */
export const serviceLbController: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics } = context;
    const lister = informers.informer(services).lister;
    const balanced = () =>
      lister
        .list()
        .filter(isBalanced)
        .map(({ metadata: { namespace, name } }) => ({ namespace, name }));
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: services,
      watches: [
        watchOf({ resource: nodes, mapToKeys: balanced, predicate: { onUpdate: (old, node) => face(old) !== face(node) } }),
        // A port that one gives up is for the next.
        watchOf({
          resource: services,
          mapToKeys: (service) => (isBalanced(service) ? balanced() : []),
          predicate: { onAdd: () => false, onUpdate: (old, next) => JSON.stringify(old.spec) !== JSON.stringify(next.spec) },
        }),
        watchOf({
          resource: endpointSlices,
          mapToKeys({ metadata: { namespace = '', labels } }) {
            const name = labels?.[SERVICE_NAME_LABEL];
            const service = name === undefined ? undefined : lister.get({ namespace, name });
            return service !== undefined && isBalanced(service) && service.spec.externalTrafficPolicy === 'Local'
              ? [{ namespace, name: service.metadata.name }]
              : [];
          },
        }),
      ],
      reconciler: newServiceLbReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

/** What a balancer sees of a node. */
const face = (node: Node): string => JSON.stringify([mayBalance(node), node.status?.addresses, node.status?.daemonEndpoints]);

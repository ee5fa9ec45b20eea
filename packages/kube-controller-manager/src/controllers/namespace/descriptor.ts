import { namespaces, pods } from '@orrery/api';
import { newBucketRateLimiter, newDiscovery, newItemRateLimiter, newMaxOfRateLimiter } from '@orrery/client';
import { type ControllerDescriptor, newController, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { newNamespaceReconciler } from './reconciler.ts';

const NAME = 'namespace-controller';

/** Deletes everything in a namespace that is being deleted, pods first, then the namespace. */
export const namespaceController: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { client, clock, informers, log, metrics, config } = context;
    const namespaceLister = informers.informer(namespaces).lister;
    const isTerminating = (name: string): boolean => namespaceLister.get(name)?.metadata.deletionTimestamp !== undefined;
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: namespaces,
      predicate: {
        onAdd: ({ metadata }) => metadata.deletionTimestamp !== undefined,
        // The rest of a deletion is our own writing.
        onUpdate: (old, { metadata }) => old.metadata.deletionTimestamp === undefined && metadata.deletionTimestamp !== undefined,
        onDelete: () => false,
      },
      watches: [
        // With the last pod gone the rest can go.
        watchOf({
          resource: pods,
          mapToKeys: ({ metadata: { namespace = '' } }) => (isTerminating(namespace) ? [{ name: namespace }] : []),
          predicate: { onAdd: () => false, onUpdate: () => false },
        }),
      ],
      workers: config.concurrentNamespaceSyncs,
      reconciler: newNamespaceReconciler(context, newDiscovery(client)),
      rateLimiter: newMaxOfRateLimiter(newItemRateLimiter({ maxDelayMs: 60_000 }), newBucketRateLimiter({ clock })),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

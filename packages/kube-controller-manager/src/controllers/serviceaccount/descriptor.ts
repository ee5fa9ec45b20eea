import { namespaces, serviceAccounts } from '@orrery/api';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import { type ControllerDescriptor, isNamespaceTerminating, newController, type Reconciler, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';

const NAME = 'default';

/** Gives every living namespace the ServiceAccount `default`, at once and again when it is deleted. */
export const serviceAccountController: ControllerDescriptor<ControllerContext> = {
  name: 'serviceaccount-controller',
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics } = context;
    return newController({
      name: 'serviceaccount-controller',
      clock,
      informerFactory: informers,
      primary: namespaces,
      watches: [
        watchOf({
          resource: serviceAccounts,
          mapToKeys: ({ metadata }) => (metadata.name === NAME && metadata.namespace !== undefined ? [{ name: metadata.namespace }] : []),
          predicate: { onAdd: () => false },
        }),
      ],
      reconciler: newReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

function newReconciler({ client, informers }: ControllerContext): Reconciler {
  const namespaceLister = informers.informer(namespaces).lister;
  const accountLister = informers.informer(serviceAccounts).lister;
  return {
    async reconcile({ name }, signal) {
      const namespace = namespaceLister.get(name);
      if (namespace?.status.phase !== 'Active' || accountLister.get({ namespace: name, name: NAME }) !== undefined) return {};
      try {
        await client.create(serviceAccounts, { metadata: { name: NAME, namespace: name } }, { signal });
      } catch (error) {
        // Somebody was faster, or the namespace went away: either way there is nothing left to do.
        if (!isAlreadyExists(error) && !isNotFound(error) && !isNamespaceTerminating(error)) throw error;
      }
      return {};
    },
  };
}

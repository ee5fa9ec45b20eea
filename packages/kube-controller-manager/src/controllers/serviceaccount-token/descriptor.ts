import { secrets, serviceAccounts } from '@orrery/api';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import { type ControllerDescriptor, newController, type Reconciler, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { completeSecret, isTokenSecret, namedAccount } from './token-secret.ts';

const NAME = 'serviceaccount-token-controller';

/**
 * Fills Secrets of type `kubernetes.io/service-account-token` with a token of the account that they name, and deletes those whose account is
 * gone. Source: upstream's tokens controller.
 */
export const serviceAccountTokenController: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics, config } = context;
    const { signToken } = config;
    if (signToken === undefined) return { run: async () => undefined };
    const secretLister = informers.informer(secrets).lister;
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: secrets,
      predicate: { onAdd: isTokenSecret, onUpdate: (_, secret) => isTokenSecret(secret), onDelete: () => false },
      watches: [
        watchOf({
          resource: serviceAccounts,
          mapToKeys: ({ metadata: { namespace, name } }) =>
            secretLister
              .list()
              .filter((secret) => secret.metadata.namespace === namespace && isTokenSecret(secret) && namedAccount(secret).name === name)
              .map((secret) => ({ namespace, name: secret.metadata.name })),
          predicate: { onUpdate: (old, account) => old.metadata.uid !== account.metadata.uid },
        }),
      ],
      reconciler: newReconciler(context, signToken),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

function newReconciler({ client, informers, config }: ControllerContext, signToken: (claims: object) => string): Reconciler {
  const { lister } = informers.informer(secrets);
  return {
    async reconcile(key, signal) {
      const secret = lister.get(key);
      if (secret === undefined || !isTokenSecret(secret) || secret.metadata.deletionTimestamp !== undefined) return {};
      const { name, uid } = namedAccount(secret);
      try {
        // Not from the cache: it may not know the account yet, and a Secret is not to be deleted for that.
        const account = await client.get(serviceAccounts, { namespace: key.namespace, name }, { signal }).catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        });
        if (account === undefined || (uid !== '' && uid !== account.metadata.uid)) {
          const preconditions = { uid: secret.metadata.uid, resourceVersion: secret.metadata.resourceVersion };
          await client.delete(secrets, key, { preconditions, signal });
          return {};
        }
        const complete = completeSecret(secret, account, config.rootCa, signToken);
        if (complete !== undefined) await client.update(secrets, complete, { signal });
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error; // Changed meanwhile: the change wakes us again.
      }
      return {};
    },
  };
}

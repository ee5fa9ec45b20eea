import { secrets } from '@orrery/api';
import { isNotFound } from '@orrery/apimachinery';
import { type ControllerDescriptor, newController } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { bootstrapTokenOf } from '../bootstrap-signer/bootstrap-token.ts';

const NAME = 'token-cleaner-controller';

/** Deletes tokens by which machines join once they have expired. Source: upstream's token cleaner. */
export const tokenCleaner: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create({ client, clock, informers, log, metrics }) {
    const { lister } = informers.informer(secrets);
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: secrets,
      predicate: {
        onAdd: (secret) => bootstrapTokenOf(secret) !== undefined,
        onUpdate: (_, secret) => bootstrapTokenOf(secret) !== undefined,
        onDelete: () => false,
      },
      reconciler: {
        async reconcile(key, signal) {
          const secret = lister.get(key);
          const expiresAtMs = secret === undefined ? undefined : bootstrapTokenOf(secret)?.expiresAtMs;
          if (secret === undefined || expiresAtMs === undefined) return {};
          if (expiresAtMs > clock.now()) return { requeueAfterMs: expiresAtMs - clock.now() };
          await client.delete(secrets, key, { preconditions: { uid: secret.metadata.uid }, signal }).catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
          return {};
        },
      },
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

import { endpoints, pods, services } from '@orrery/api';
import type { Pod, Service } from '@orrery/api/core/v1';
import { isAlreadyExists, isConflict, isNotFound, keyOf, type NamespacedName } from '@orrery/apimachinery';
import { isNamespaceTerminating, type Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { hasSelector, selects } from '../service-endpoints/membership.ts';
import { newTriggerTimes } from '../service-endpoints/trigger-times.ts';
import { desiredEndpoints, MANAGER } from './desired-endpoints.ts';

/** Source: endpoint.Controller. */
export function newEndpointsReconciler(context: ControllerContext): Reconciler {
  const { client, informers } = context;
  const serviceLister = informers.informer(services).lister;
  const podLister = informers.informer(pods).lister;
  const endpointsLister = informers.informer(endpoints).lister;
  const triggerTimes = newTriggerTimes();
  const recorder = context.recorderFor(MANAGER);

  const podsOf = (service: Service): readonly Pod[] =>
    podLister.byNamespace(service.metadata.namespace ?? '').filter(({ metadata }) => selects(service, metadata.labels));

  return {
    async reconcile(key, signal) {
      const service = serviceLister.get(key);
      if (service === undefined) {
        triggerTimes.forget(keyOf({ metadata: { name: key.name, namespace: key.namespace ?? '' } }));
        await remove(context, key, signal);
        return {};
      }
      if (!hasSelector(service)) return {};
      const own = podsOf(service);
      const current = endpointsLister.get(key);
      const next = desiredEndpoints(service, own, current, triggerTimes.changedAt(service, own));
      if (next === undefined) return {};
      try {
        if (current === undefined) await client.create(endpoints, next, { signal });
        else await client.update(endpoints, { ...current, ...next }, { signal });
      } catch (error) {
        if (isNamespaceTerminating(error)) return {};
        // A conflict is the cache's lag, or somebody was faster: nobody needs to hear of it.
        if (!isConflict(error) && !isAlreadyExists(error)) {
          const { name, namespace = '' } = service.metadata;
          const [reason, text] =
            current === undefined
              ? ['FailedToCreateEndpoint', `Failed to create endpoint for service ${namespace}/${name}`]
              : ['FailedToUpdateEndpoint', `Failed to update endpoint ${namespace}/${name}`];
          const regarding = { apiVersion: 'v1', kind: 'Endpoints', name, namespace };
          recorder.event(current ?? regarding, 'Warning', reason, `${text}: ${error instanceof Error ? error.message : String(error)}`);
        }
        throw error;
      }
      return {};
    },
  };
}

async function remove({ client }: ControllerContext, key: NamespacedName, signal: AbortSignal): Promise<void> {
  try {
    await client.delete(endpoints, key, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

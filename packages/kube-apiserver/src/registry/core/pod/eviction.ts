import type { Pod } from '@orrery/api/core/v1';
import type { Eviction } from '@orrery/api/policy/v1';
import { cloneJson, type Draft, type Json, newBadRequest } from '@orrery/apimachinery';
import type { SubresourceHandler } from '@orrery/apiserver';

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as const;

/**
 * `pods/eviction`: a delete that asks first. A pod that is running is deleted as it was seen, so that no one who counts pods is
 * overtaken. Source: EvictionREST.
 */
export const podEviction: SubresourceHandler = {
  verbs: ['create'],
  async handle(call, context) {
    const eviction = context.decodeBody('io.k8s.api.policy.v1.Eviction') as unknown as Draft<Eviction>;
    const name = eviction.metadata?.name ?? '';
    if (name !== call.name) throw newBadRequest('name in URL does not match name in Eviction object');
    await context.admit(eviction, undefined);
    const pod = (await context.parent()).object as Pod;
    const options = cloneJson(eviction.deleteOptions ?? {});
    const { phase } = pod.status ?? {};
    const enforce = phase === 'Pending' && pod.metadata.deletionTimestamp === undefined;
    if (enforce && options.preconditions?.resourceVersion === undefined && pod.metadata.resourceVersion !== undefined) {
      options.preconditions = { ...options.preconditions, resourceVersion: pod.metadata.resourceVersion };
    }
    if (context.dryRun) options.dryRun = ['All'];
    await context.call({
      verb: 'delete',
      group: '',
      version: 'v1',
      resource: 'pods',
      namespace: call.namespace,
      name: call.name,
      body: { ...options, kind: 'DeleteOptions', apiVersion: 'v1' } as unknown as Json,
    });
    return { type: 'value', code: 201, value: success, warnings: [] };
  },
};

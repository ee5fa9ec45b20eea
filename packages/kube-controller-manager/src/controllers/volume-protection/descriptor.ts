import { persistentVolumeClaims, persistentVolumes, pods } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import type { KubeObject, NamespacedName, Resource } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import { isPodTerminal } from '@orrery/client';
import { type ControllerDescriptor, newController, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

/** Names of the claims that a pod's volumes use, in its namespace. */
export const claimsOf = ({ metadata, spec }: Pod): readonly string[] =>
  (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName];
    return ephemeral === undefined ? [] : [`${metadata.name}-${name}`];
  });

/** A pod keeps its claims from when it has a node until it has ended. Source: pvc protection podUsesPVC, podIsShutDown. */
export const uses = (pod: Pod, { namespace, name }: NamespacedName): boolean =>
  pod.metadata.namespace === namespace && (pod.spec.nodeName ?? '') !== '' && !isPodTerminal(pod) && claimsOf(pod).includes(name);

/** Adds the finalizer to what lives, and takes it from what is to go and is not used. */
async function protect<T extends KubeObject>(
  client: ControllerContext['client'],
  resource: Resource<T>,
  object: T,
  finalizer: string,
  isUsed: () => Promise<boolean>,
): Promise<void> {
  const { namespace, name = '', finalizers = [], deletionTimestamp, resourceVersion } = object.metadata;
  const held = finalizers.includes(finalizer);
  const wanted = deletionTimestamp === undefined || (held && (await isUsed()));
  if (held === wanted || (!held && deletionTimestamp !== undefined)) return;
  const next = wanted ? [...finalizers, finalizer] : finalizers.filter((one) => one !== finalizer);
  try {
    await client.patch(resource, namespace === undefined ? { name } : { namespace, name }, 'merge', {
      metadata: { resourceVersion, finalizers: next },
    });
  } catch (err) {
    if (!isNotFound(err)) throw err;
  }
}

/** A claim that a pod uses stays until the pod has ended. */
export const claimProtection: ControllerDescriptor<ControllerContext> = {
  name: 'persistentvolumeclaim-protection-controller',
  featureGates: [],
  create({ client, clock, informers, log, config }) {
    const claims = informers.informer(persistentVolumeClaims).lister;
    const podInformer = informers.informer(pods);
    return newController({
      name: 'persistentvolumeclaim-protection-controller',
      clock,
      informerFactory: informers,
      primary: persistentVolumeClaims,
      watches: [
        watchOf({
          resource: pods,
          mapToKeys: (pod) => claimsOf(pod).map((name) => ({ namespace: pod.metadata.namespace, name })),
          predicate: { onAdd: (pod) => isPodTerminal(pod), onUpdate: (_, pod) => isPodTerminal(pod) },
        }),
      ],
      workers: config.concurrentSyncs,
      reconciler: {
        async reconcile(key) {
          const claim = claims.get(key);
          if (claim === undefined) return {};
          const isUsed = async (): Promise<boolean> => {
            if (podInformer.lister.list().some((pod) => uses(pod, key))) return true;
            const { items } = await client.list(pods, { namespace: key.namespace ?? '' }); // The cache may lag behind a pod just scheduled.
            return items.some((pod) => uses(pod, key));
          };
          await protect(client, persistentVolumeClaims, claim, CLAIM_FINALIZER, isUsed);
          return {};
        },
      },
      log,
    });
  },
};

/** A volume that is bound stays until it is not. */
export const volumeProtection: ControllerDescriptor<ControllerContext> = {
  name: 'persistentvolume-protection-controller',
  featureGates: [],
  create({ client, clock, informers, log, config }) {
    const volumes = informers.informer(persistentVolumes).lister;
    return newController({
      name: 'persistentvolume-protection-controller',
      clock,
      informerFactory: informers,
      primary: persistentVolumes,
      workers: config.concurrentSyncs,
      reconciler: {
        async reconcile(key) {
          const volume = volumes.get(key);
          if (volume === undefined) return {};
          await protect(client, persistentVolumes, volume, VOLUME_FINALIZER, async () => volume.status?.phase === 'Bound');
          return {};
        },
      },
      log,
    });
  },
};

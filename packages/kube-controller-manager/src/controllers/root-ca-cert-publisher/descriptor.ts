import { configMaps, namespaces } from '@orrery/api';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import { type ControllerDescriptor, isNamespaceTerminating, newController, type Reconciler, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';

const NAME = 'kube-root-ca.crt';
const KEY = 'ca.crt';
/** Told to whoever opens the ConfigMap. Source: upstream's annotation. */
const annotations = {
  'kubernetes.io/description':
    'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
};

/** Publishes the cluster's authority in every namespace, so that pods can trust the API server. Changes by others are undone. */
export const rootCaCertPublisher: ControllerDescriptor<ControllerContext> = {
  name: 'root-ca-certificate-publisher-controller',
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics, config } = context;
    const { rootCa } = config;
    if (rootCa === undefined) return { run: async () => undefined };
    return newController({
      name: 'root-ca-certificate-publisher-controller',
      clock,
      informerFactory: informers,
      primary: namespaces,
      watches: [
        watchOf({
          resource: configMaps,
          mapToKeys: ({ metadata }) => (metadata.name === NAME && metadata.namespace !== undefined ? [{ name: metadata.namespace }] : []),
          predicate: { onAdd: ({ data }) => data?.[KEY] !== rootCa },
        }),
      ],
      reconciler: newReconciler(context, rootCa),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

function newReconciler({ client, informers }: ControllerContext, rootCa: string): Reconciler {
  const namespaceLister = informers.informer(namespaces).lister;
  const configMapLister = informers.informer(configMaps).lister;
  return {
    async reconcile({ name }, signal) {
      if (namespaceLister.get(name)?.status.phase !== 'Active') return {};
      const current = configMapLister.get({ namespace: name, name: NAME });
      if (current !== undefined && Object.keys(current.data ?? {}).length === 1 && current.data?.[KEY] === rootCa) return {};
      try {
        if (current === undefined)
          await client.create(configMaps, { metadata: { name: NAME, namespace: name, annotations }, data: { [KEY]: rootCa } }, { signal });
        else await client.update(configMaps, { ...current, data: { [KEY]: rootCa } }, { signal });
      } catch (error) {
        if (!isAlreadyExists(error) && !isNotFound(error) && !isNamespaceTerminating(error)) throw error;
      }
      return {};
    },
  };
}

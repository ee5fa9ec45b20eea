import { configMaps, secrets } from '@orrery/api';
import { equalJson, isNotFound } from '@orrery/apimachinery';
import { type ControllerDescriptor, newController, type Reconciler, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { type BootstrapToken, bootstrapTokenOf, signDetached } from './bootstrap-token.ts';

const NAME = 'bootstrap-signer-controller';
const CLUSTER_INFO = { namespace: 'kube-public', name: 'cluster-info' };
const SIGNATURE = 'jws-kubeconfig-';

/** Signs `kube-public/cluster-info` with every token that is for it, so that who holds a token trusts what it says. Source: upstream's bootstrap signer. */
export const bootstrapSigner: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics } = context;
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: configMaps,
      predicate: { onAdd: isClusterInfo, onUpdate: (_, object) => isClusterInfo(object), onDelete: () => false },
      watches: [watchOf({ resource: secrets, mapToKeys: (secret) => (bootstrapTokenOf(secret) === undefined ? [] : [CLUSTER_INFO]) })],
      reconciler: newReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

const isClusterInfo = ({ metadata }: { readonly metadata: { readonly name: string; readonly namespace?: string } }): boolean =>
  metadata.name === CLUSTER_INFO.name && metadata.namespace === CLUSTER_INFO.namespace;

function newReconciler({ client, informers, clock }: ControllerContext): Reconciler {
  const mapLister = informers.informer(configMaps).lister;
  const secretLister = informers.informer(secrets).lister;
  const signing = (): BootstrapToken[] =>
    secretLister
      .byNamespace('kube-system')
      .map(bootstrapTokenOf)
      .filter((token) => token !== undefined)
      .filter(({ signs, expiresAtMs }) => signs && (expiresAtMs === undefined || expiresAtMs > clock.now()));
  return {
    async reconcile(key, signal) {
      const map = mapLister.get(key);
      const text = map?.data?.['kubeconfig'];
      if (map === undefined || text === undefined) return {};
      const kept = Object.entries(map.data ?? {}).filter(([name]) => !name.startsWith(SIGNATURE));
      const signatures = signing().map((token) => [`${SIGNATURE}${token.id}`, signDetached(text, token)] as const);
      const data = Object.fromEntries([...kept, ...signatures]);
      if (equalJson(data, { ...map.data })) return {};
      await client.update(configMaps, { ...map, data }, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      return {};
    },
  };
}

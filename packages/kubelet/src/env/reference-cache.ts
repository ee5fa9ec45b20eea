import { configMaps, secrets } from '@orrery/api';
import type { ConfigMap, Pod, Secret } from '@orrery/api/core/v1';
import type { KubeObject, Resource } from '@orrery/apimachinery';
import type { Clock, Random } from '@orrery/base';
import type { Client, Informer } from '@orrery/client';
import { newInformerFactory } from '@orrery/client';
import type { References } from './references.ts';

/** Objects that pods refer to, each watched for as long as a pod's volumes refer to it. Source: kubelet watch-based managers. */
export interface ReferenceCache {
  /** As the API has them now: for environments, which are read once. */
  readonly fresh: References;
  /** As last seen, where they are watched: for volumes, which follow. */
  readonly watched: References;
  /** Watches what the pod's volumes refer to. Idempotent. */
  register(pod: Pod): void;
  unregister(uid: string): void;
  close(): void;
}

type Kind = 'configMap' | 'secret';

interface Watched {
  readonly informer: Informer<KubeObject>;
  readonly stop: AbortController;
  readonly pods: Set<string>;
}

export interface ReferenceCacheOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  /** A watched object changed: this pod refers to it. */
  readonly onChange: (podUid: string) => void;
}

const keyOf = (kind: Kind, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;

/** What the pod's volumes hold and so must follow. Environments are read once, at the start of a container. */
function references(pod: Pod): ReadonlySet<string> {
  const namespace = pod.metadata.namespace ?? '';
  const keys = new Set<string>();
  const add = (kind: Kind, name: string | undefined): void => {
    if (name !== undefined && name !== '') keys.add(keyOf(kind, namespace, name));
  };
  for (const { configMap, secret, projected } of pod.spec.volumes ?? []) {
    add('configMap', configMap?.name);
    add('secret', secret?.secretName);
    for (const source of projected?.sources ?? []) {
      add('configMap', source.configMap?.name);
      add('secret', source.secret?.name);
    }
  }
  return keys;
}

export function newReferenceCache({ client, clock, random, onChange }: ReferenceCacheOptions): ReferenceCache {
  const watched = new Map<string, Watched>();
  const byPod = new Map<string, ReadonlySet<string>>();

  function watch(key: string): Watched {
    const [kind = '', namespace = '', name = ''] = key.split('/');
    const resource: Resource = kind === 'configMap' ? configMaps : secrets;
    const pods = new Set<string>();
    // A factory of its own: it keeps what it hands out, and these come and go.
    const informer = newInformerFactory(client, { clock, random }).informer(resource, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
    });
    const tell = (): void => {
      for (const uid of pods) onChange(uid);
    };
    informer.addHandler({
      onAdd: (_, initial) => {
        if (!initial) tell();
      },
      onUpdate: tell,
      onDelete: tell,
    });
    const stop = new AbortController();
    void informer.run(stop.signal);
    return { informer, stop, pods };
  }

  function release(uid: string, key: string): void {
    const entry = watched.get(key);
    entry?.pods.delete(uid);
    if (entry === undefined || entry.pods.size > 0) return;
    entry.stop.abort();
    watched.delete(key);
  }

  const fresh: References = {
    configMap: (namespace, name) => client.get<ConfigMap>(configMaps, { namespace, name }),
    secret: (namespace, name) => client.get<Secret>(secrets, { namespace, name }),
  };

  /** What the watch shows; `undefined` before it shows anything, and for what may have been made a moment ago. */
  function seen(kind: Kind, namespace: string, name: string): KubeObject | undefined {
    return watched.get(keyOf(kind, namespace, name))?.informer.lister.get({ namespace, name });
  }

  return {
    fresh,
    watched: {
      configMap: async (namespace, name) =>
        (seen('configMap', namespace, name) as ConfigMap | undefined) ?? (await fresh.configMap(namespace, name)),
      secret: async (namespace, name) => (seen('secret', namespace, name) as Secret | undefined) ?? (await fresh.secret(namespace, name)),
    },
    register(pod) {
      const { uid } = pod.metadata;
      if (byPod.has(uid)) return; // Volumes of a pod never change.
      const keys = references(pod);
      byPod.set(uid, keys);
      for (const key of keys) {
        const entry = watched.get(key) ?? watch(key);
        watched.set(key, entry);
        entry.pods.add(uid);
      }
    },
    unregister(uid) {
      for (const key of byPod.get(uid) ?? []) release(uid, key);
      byPod.delete(uid);
    },
    close() {
      for (const { stop } of watched.values()) stop.abort();
      watched.clear();
      byPod.clear();
    },
  };
}

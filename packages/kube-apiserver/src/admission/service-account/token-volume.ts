import type { Pod } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import type { Random } from '@orrery/base';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** An hour and a little: upstream tells tokens that were asked for so from those that a pod asked for itself. */
const EXPIRATION_SECONDS = 3607;
const FILE_MODE = 0o644;
/** Letters and digits that make no words. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;

/** Adds the volume with token, CA and namespace, and mounts it where a container has nothing at its place yet. */
export function mountToken({ spec }: Draft<Pod>, random: Random): void {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const wanting = containers.filter(({ volumeMounts }) => !(volumeMounts ?? []).some(({ mountPath }) => mountPath === MOUNT_PATH));
  if (wanting.length === 0) return;
  const name = `kube-api-access-${Array.from({ length: SUFFIX_LENGTH }, () => alphabet[random.integer(alphabet.length)]).join('')}`;
  for (const container of wanting) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: MOUNT_PATH }];
  }
  spec.volumes = [
    ...(spec.volumes ?? []),
    {
      name,
      projected: {
        defaultMode: FILE_MODE,
        sources: [
          { serviceAccountToken: { expirationSeconds: EXPIRATION_SECONDS, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
        ],
      },
    },
  ];
}

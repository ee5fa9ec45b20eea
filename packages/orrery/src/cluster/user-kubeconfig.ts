import { existsSync } from 'node:fs';
import type { Clock } from '@orrery/base';
import { type Kubeconfig, loadKubeconfig, mergeKubeconfig, removeContext, updateKubeconfig } from '@orrery/client';
import type { KeyPair } from '@orrery/kube-apiserver';

/** Cluster, user and context of one cluster carry this name in a kubeconfig. */
export const contextNameOf = (name: string): string => (name === 'default' ? 'orrery' : `orrery-${name}`);

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with everything in it: copy it to another machine and it works. */
export function adminKubeconfig(name: string, server: string, ca: string, admin: KeyPair): Kubeconfig {
  const context = contextNameOf(name);
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: context, cluster: { server, 'certificate-authority-data': base64(ca) } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
    users: [{ name: context, user: { 'client-certificate-data': base64(admin.cert), 'client-key-data': base64(admin.key) } }],
    'current-context': context,
  };
}

/** Adds the cluster of `file` to the user's own kubeconfig and makes it current. What else stands there stays. */
export async function mergeIntoUserKubeconfig(userFile: string, file: string, clock: Clock): Promise<void> {
  const added = await loadKubeconfig([file]);
  await updateKubeconfig(userFile, clock, (mine) => mergeKubeconfig(mine, added, { setCurrent: true }));
}

/** Takes a cluster out of the user's kubeconfig, if it is there. */
export async function removeFromUserKubeconfig(userFile: string, name: string, clock: Clock): Promise<void> {
  if (!existsSync(userFile)) return;
  await updateKubeconfig(userFile, clock, (mine) => removeContext(mine, contextNameOf(name)));
}

import type { Pod, Secret } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import type { Logger } from '@orrery/component';
import type { AuthConfig } from '@orrery/cri';
import type { References } from '../env/references.ts';
import { messageOf } from './errors.ts';

interface DockerAuth {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

function configOf({ type, data }: Secret): Readonly<Record<string, DockerAuth>> {
  const text = (key: string): string => Buffer.from(data?.[key] ?? '', 'base64').toString();
  if (type === 'kubernetes.io/dockerconfigjson') {
    return (JSON.parse(text('.dockerconfigjson')) as { auths?: Record<string, DockerAuth> }).auths ?? {};
  }
  return type === 'kubernetes.io/dockercfg' ? (JSON.parse(text('.dockercfg')) as Record<string, DockerAuth>) : {};
}

function authOf(serverAddress: string, entry: DockerAuth): AuthConfig {
  const [user = '', ...rest] = entry.auth === undefined ? [] : Buffer.from(entry.auth, 'base64').toString().split(':');
  return {
    serverAddress,
    username: entry.username ?? user,
    password: entry.password ?? rest.join(':'),
    ...(entry.identitytoken === undefined ? {} : { identityToken: entry.identitytoken }),
    ...(entry.registrytoken === undefined ? {} : { registryToken: entry.registrytoken }),
  };
}

/** The registry credentials of the pod's image pull secrets. A secret that is missing or cannot be read is left out, as upstream does. */
export async function pullCredentials(pod: Pod, references: References, log: Logger): Promise<readonly AuthConfig[]> {
  const found: AuthConfig[] = [];
  const namespace = pod.metadata.namespace ?? '';
  for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
    try {
      const secret = await references.secret(namespace, name);
      found.push(...Object.entries(configOf(secret)).map(([server, entry]) => authOf(server, entry)));
    } catch (err) {
      if (!isNotFound(err)) log.warn('an image pull secret cannot be used', { secret: `${namespace}/${name}`, error: messageOf(err) });
    }
  }
  return found;
}

import { serviceAccounts } from '@orrery/api';
import type { TokenRequest } from '@orrery/api/authentication/v1';
import type { Pod } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { Client } from '@orrery/client';

export interface TokenWish {
  readonly audience?: string | undefined;
  readonly expirationSeconds: number;
}

/** Tokens of pods' service accounts, kept until they need to be renewed. */
export interface TokenSource {
  token(pod: Pod, wish: TokenWish): Promise<string>;
  /** Drops what belongs to the pod. */
  forget(podUid: string): void;
}

interface Held {
  readonly token: string;
  readonly renewAtMs: number;
  readonly podUid: string;
}

const MS_PER_SECOND = 1000;
const MS_PER_DAY = 86_400_000;

/** Renewed after four fifths of its life or a day, whichever is earlier. Source: kubelet token manager. */
function renewalMs(status: TokenRequest['status'], nowMs: number, wishedSeconds: number): number {
  const expiresMs = Date.parse(status?.expirationTimestamp ?? '');
  const lifeMs = Number.isNaN(expiresMs) ? wishedSeconds * MS_PER_SECOND : expiresMs - nowMs;
  return nowMs + Math.min(lifeMs * 0.8, MS_PER_DAY);
}

export function newTokenSource(client: Client, clock: Clock): TokenSource {
  const held = new Map<string, Held>();

  async function request(pod: Pod, { audience, expirationSeconds }: TokenWish): Promise<Held> {
    const { name, namespace = '', uid } = pod.metadata;
    const account = pod.spec.serviceAccountName ?? 'default';
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience === undefined || audience === '' ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
      },
    };
    try {
      const answer = await client.createSubresource<TokenRequest>(serviceAccounts, { namespace, name: account }, 'token', body);
      const token = answer.status?.token ?? '';
      if (token === '') throw new Error('the answer holds no token');
      return { token, renewAtMs: renewalMs(answer.status, clock.now(), expirationSeconds), podUid: uid };
    } catch (cause) {
      const hint = isNotFound(cause) ? ` (does ServiceAccount ${namespace}/${account} exist, and does the API server issue tokens?)` : '';
      throw new Error(`failed to fetch token: ${cause instanceof Error ? cause.message : String(cause)}${hint}`, { cause });
    }
  }

  return {
    async token(pod, wish) {
      const key = JSON.stringify([pod.metadata.uid, pod.spec.serviceAccountName ?? '', wish.audience ?? '', wish.expirationSeconds]);
      const before = held.get(key);
      if (before !== undefined && clock.now() < before.renewAtMs) return before.token;
      const fresh = await request(pod, wish);
      held.set(key, fresh);
      return fresh.token;
    },
    forget(podUid) {
      for (const [key, entry] of held) if (entry.podUid === podUid) held.delete(key);
    },
  };
}

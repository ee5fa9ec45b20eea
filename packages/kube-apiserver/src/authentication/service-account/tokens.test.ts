import { nodes, pods, secrets, serviceAccounts } from '@orrery/api';
import type { TokenRequest } from '@orrery/api/authentication/v1';
import type { Pod } from '@orrery/api/core/v1';
import { type JsonObject, type KubeObject, reasonOf } from '@orrery/apimachinery';
import { newSeededRandom, newVirtualClock } from '@orrery/base';
import { type Client, newClient } from '@orrery/client';
import { silentLogger } from '@orrery/component';
import { newMemoryStore } from '@orrery/storage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type KubeApiserver, startKubeApiserver } from '../../server/kube-apiserver.ts';
import { parseJwt, signJwt } from './jwt.ts';
import { newSigningKeyPem, readSigningKey } from './signing-key.ts';

const issuer = 'https://kubernetes.default.svc.cluster.local';
const signingKey = newSigningKeyPem();
const clock = newVirtualClock({ startMs: Date.UTC(2026, 0, 1) });
const namespace = 'default';
let api: KubeApiserver;
let client: Client;
let close: () => Promise<void>;

beforeEach(async () => {
  const store = newMemoryStore({ clock });
  api = await startKubeApiserver({
    store,
    clock,
    random: newSeededRandom(1),
    log: silentLogger,
    freeze: true,
    serviceAccountTokens: { signingKey },
  });
  client = newClient(api.transport({ username: 'test', groups: ['system:masters'] }));
  close = async () => {
    await api.close();
    await store.close();
  };
  await client.create(serviceAccounts, { metadata: { name: 'sa', namespace } });
});
afterEach(() => close());

const request = (spec: object): Promise<TokenRequest> =>
  client.createSubresource<TokenRequest>(serviceAccounts, { namespace, name: 'sa' }, 'token', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec,
  });
const tokenOf = (answer: TokenRequest): string => answer.status?.token ?? '';
const claimsOf = (answer: TokenRequest): JsonObject => parseJwt(tokenOf(answer))?.claims ?? {};
const tokenReviews = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenReview', resource: 'tokenreviews', namespaced: false };
const review = async (token: string, audiences?: readonly string[]): Promise<JsonObject> => {
  const spec = { token, ...(audiences === undefined ? {} : { audiences }) };
  const answer = await client.create(tokenReviews, { metadata: {}, spec } as unknown as KubeObject);
  return (answer as unknown as { readonly status: JsonObject }).status;
};
const newPod = async (name: string, nodeName?: string): Promise<Pod> => {
  const pod = await client.create(pods, {
    metadata: { name, namespace },
    spec: {
      serviceAccountName: 'sa',
      containers: [{ name: 'a', image: 'b' }],
      terminationGracePeriodSeconds: 10,
      ...(nodeName === undefined ? {} : { nodeName }),
    },
  } as unknown as Parameters<typeof client.create<Pod>>[1]);
  return pod;
};

describe('a requested token', () => {
  test('says whose it is, for whom and until when', async () => {
    const answer = await request({ expirationSeconds: 1000 });
    const account = await client.get(serviceAccounts, { namespace, name: 'sa' });
    const now = clock.now() / 1000;
    expect(claimsOf(answer)).toEqual({
      aud: [issuer],
      exp: now + 1000,
      iat: now,
      iss: issuer,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'kubernetes.io': { namespace, serviceaccount: { name: 'sa', uid: account.metadata.uid } },
      nbf: now,
      sub: 'system:serviceaccount:default:sa',
    });
    expect(answer.status?.expirationTimestamp).toBe('2026-01-01T00:16:40Z');
    expect(answer.spec).toMatchObject({ audiences: [issuer], expirationSeconds: 1000 });
    expect(await review(tokenOf(answer))).toEqual({
      authenticated: true,
      audiences: [issuer],
      user: {
        username: 'system:serviceaccount:default:sa',
        uid: account.metadata.uid,
        groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
        extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${String(claimsOf(answer)['jti'])}`] },
      },
    });
  });

  test('of a pod names pod and node, and lives a year when the pod wanted none of it', async () => {
    const node = await client.create(nodes, { metadata: { name: 'n1' } } as Parameters<typeof client.create<KubeObject>>[1] as never);
    const pod = await newPod('p', 'n1');
    const answer = await request({
      expirationSeconds: 3607,
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: pod.metadata.uid },
    });
    const claims = claimsOf(answer);
    expect(claims['kubernetes.io']).toMatchObject({
      node: { name: 'n1', uid: node.metadata.uid },
      pod: { name: 'p', uid: pod.metadata.uid },
      warnafter: clock.now() / 1000 + 3607,
    });
    expect(claims['exp']).toBe(clock.now() / 1000 + 365 * 24 * 3600);
    expect((await review(tokenOf(answer)))['user']).toMatchObject({
      extra: {
        'authentication.kubernetes.io/pod-name': ['p'],
        'authentication.kubernetes.io/pod-uid': [pod.metadata.uid],
        'authentication.kubernetes.io/node-name': ['n1'],
        'authentication.kubernetes.io/node-uid': [node.metadata.uid],
      },
    });
  });

  test.each([
    ['too short', { expirationSeconds: 599 }, 'Invalid', 'may not specify a duration less than 10 minutes'],
    ['too long', { expirationSeconds: 2 ** 32 + 1 }, 'Invalid', 'may not specify a duration larger than 2^32 seconds'],
    [
      'another kind',
      { boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'x' } },
      'BadRequest',
      'cannot bind token to object of type /v1, Kind=ConfigMap',
    ],
    ['an absent pod', { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'x' } }, 'NotFound', 'pods "x" not found'],
  ])('is refused: %s', async (_case, spec, reason, message) => {
    const error = await request(spec).catch((cause: unknown) => cause);
    expect(reasonOf(error)).toBe(reason);
    expect(String(error)).toContain(message);
  });

  test('is refused for a pod of another uid', async () => {
    await newPod('p');
    const error = await request({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'other' } }).catch(
      (cause: unknown) => cause,
    );
    expect(reasonOf(error)).toBe('Conflict');
  });
});

describe('a token no longer holds', () => {
  test('when its time is over', async () => {
    const token = tokenOf(await request({ expirationSeconds: 600 }));
    expect(await review(token)).toMatchObject({ authenticated: true });
    await clock.advance(601_000);
    expect(await review(token)).toEqual({ user: {}, error: '[invalid bearer token, service account token has expired]' });
  });

  test('when its account is another one', async () => {
    const token = tokenOf(await request({}));
    await client.delete(serviceAccounts, { namespace, name: 'sa' });
    expect((await review(token))['error']).toContain('serviceaccounts "sa" not found');
    await client.create(serviceAccounts, { metadata: { name: 'sa', namespace } });
    expect((await review(token))['error']).toMatch(/service account UID \(.*\) does not match claim \(.*\)/);
  });

  test('a minute after its pod was to be gone', async () => {
    const pod = await newPod('p', 'n1');
    const token = tokenOf(await request({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: pod.metadata.uid } }));
    await client.delete(pods, { namespace, name: 'p' });
    await clock.advance(60_000);
    expect(await review(token)).toMatchObject({ authenticated: true });
    await clock.advance(12_000);
    expect((await review(token))['error']).toContain('service account token has been invalidated');
  });

  test('for another audience', async () => {
    const token = tokenOf(await request({ audiences: ['vault', 'other'] }));
    expect((await review(token))['error']).toBe(
      `[invalid bearer token, token audiences ["vault" "other"] is invalid for the target audiences ["${issuer}"]]`,
    );
    expect(await review(token, ['a', 'vault'])).toMatchObject({ authenticated: true, audiences: ['vault'] });
  });

  test('signed by another key', async () => {
    const claims = claimsOf(await request({}));
    const forged = signJwt(readSigningKey(newSigningKeyPem()), claims);
    expect((await review(forged))['error']).toBe('[invalid bearer token, signature is not valid]');
    expect(await review('not.a.token')).toEqual({ user: {}, error: 'invalid bearer token' });
  });
});

test('a token in a Secret lives as long as the Secret', async () => {
  const account = await client.get(serviceAccounts, { namespace, name: 'sa' });
  const prefix = 'kubernetes.io/serviceaccount';
  const token = signJwt(readSigningKey(signingKey), {
    iss: 'kubernetes/serviceaccount',
    sub: 'system:serviceaccount:default:sa',
    [`${prefix}/namespace`]: namespace,
    [`${prefix}/secret.name`]: 's',
    [`${prefix}/service-account.name`]: 'sa',
    [`${prefix}/service-account.uid`]: account.metadata.uid,
  });
  await client.create(secrets, {
    metadata: { name: 's', namespace, annotations: { 'kubernetes.io/service-account.name': 'sa' } },
    type: 'kubernetes.io/service-account-token',
    data: { token: Buffer.from(token).toString('base64') },
  });
  expect(await review(token)).toMatchObject({ authenticated: true, user: { username: 'system:serviceaccount:default:sa' } });
  await client.delete(secrets, { namespace, name: 's' });
  expect((await review(token))['error']).toContain('invalidated');
});

test('others find the key to verify tokens', async () => {
  const read = async (path: string): Promise<JsonObject> => {
    const parts: Uint8Array[] = [];
    for await (const part of (await client.raw({ path })).body) parts.push(part);
    return JSON.parse(Buffer.concat(parts).toString());
  };
  expect(await read('/.well-known/openid-configuration')).toEqual({
    issuer,
    jwks_uri: `${issuer}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  });
  expect(await read('/openid/v1/jwks')).toMatchObject({ keys: [{ use: 'sig', kty: 'EC', crv: 'P-256', alg: 'ES256' }] });
});

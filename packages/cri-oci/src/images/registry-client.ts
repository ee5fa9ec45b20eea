import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { backoffDelayMs, type Clock } from '@orrery/base';
import { type AuthConfig, RuntimeError } from '@orrery/cri';
import type { ContentSource } from './content-source.ts';
import { type Descriptor, manifestTypes } from './manifest.ts';
import type { ImageReference } from './reference.ts';
import { noRegistries, type Registries, type RegistryHostConfig } from './registries.ts';

export interface RegistryClientOptions {
  readonly clock: Clock;
  readonly registries?: Registries | undefined;
  /** For hosts whose configuration says nothing. @default 30000 */
  readonly stallTimeoutMs?: number;
}

export interface FetchedManifest {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** One repository of a registry, with its mirrors, as one pull sees it. */
export interface Repository extends ContentSource {
  /** By tag or digest. */
  manifest(reference: string, signal?: AbortSignal): Promise<FetchedManifest>;
}

interface Endpoint {
  readonly base: URL;
  readonly repository: string;
  authorization?: string;
}

const documentBytesMax = 4 * 1024 * 1024; // Manifests and configurations; ordinary ones have some kilobytes.
const attemptsMax = 5;
const redirectsMax = 5;
const CLIENT_ID = 'orrery'; // Names the program, not a user.
const retryPolicy = { baseDelayMs: 200, maxDelayMs: 3000 };
const isTransient = (err: unknown): boolean => err instanceof RuntimeError && err.code === 'UNAVAILABLE';

/** A repository of the distribution protocol (v2) for one pull. Requests and credentials are never shared between pulls. */
export function newRepository(reference: ImageReference, auth: AuthConfig | undefined, options: RegistryClientOptions): Repository {
  const { clock, registries = noRegistries, stallTimeoutMs = 30_000 } = options;
  const endpoints = endpointsOf(reference, registries);
  const name = `${reference.registry}/${reference.repository}`;

  /** GET, or POST of a `form`. */
  function request(
    url: URL,
    headers: http.OutgoingHttpHeaders,
    signal?: AbortSignal,
    form?: URLSearchParams,
  ): Promise<http.IncomingMessage> {
    const method = form === undefined ? 'GET' : 'POST';
    return new Promise((resolve, reject) => {
      const host = registries.configs.get(url.host) ?? registries.configs.get('*');
      const tls = tlsOf(host);
      const stallMs = host?.stallTimeoutMs ?? stallTimeoutMs;
      const fail = (err: Error): void =>
        reject(
          signal?.aborted === true
            ? signal.reason
            : new RuntimeError('UNAVAILABLE', `failed to do request: ${method === 'GET' ? 'Get' : 'Post'} "${url.href}": ${err.message}`, {
                cause: err,
              }),
        );
      let stalled = (err: Error): void => void sent.destroy(err);
      const arrived = (response: http.IncomingMessage): void => {
        stalled = (err) => void response.destroy(err); // Its reader gets the reason; the request is over for everybody else.
        resolve(response);
      };
      const typed = form === undefined ? headers : { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
      const settings = { method, headers: typed, ...tls, ...(signal === undefined ? {} : { signal }) };
      const sent = (url.protocol === 'http:' ? http : https).request(url, settings, arrived);
      sent.setTimeout(stallMs, () => stalled(new Error(`${url.host} sent no bytes for ${stallMs / 1000} s`)));
      sent.on('error', fail);
      sent.end(form?.toString());
    });
  }

  async function body(response: http.IncomingMessage, most: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of response as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > most) {
        response.destroy();
        throw new RuntimeError('INVALID_ARGUMENT', `${name}: document is larger than ${most} bytes`);
      }
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  /**
   * What answers a challenge: the credentials themselves, or a token that is got with them; with an identity token by OAuth 2. Source:
   * distribution's "Token Authentication Specification" and "Oauth2 Token Authentication".
   */
  async function token(endpoint: Endpoint, challenge: string, signal?: AbortSignal): Promise<string> {
    const given = credentialsOf(endpoint, reference, auth, registries);
    const basic = basicOf(given);
    const refreshToken = given?.identityToken ?? '';
    if (/^basic\b/i.test(challenge)) {
      if (basic === undefined)
        throw new RuntimeError('UNAUTHENTICATED', `pull access denied for ${name}: 401 Unauthorized: no basic auth credentials`);
      return basic;
    }
    const fields = new Map(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key.toLowerCase(), value] as const),
    );
    const realm = fields.get('realm');
    if (!/^bearer\b/i.test(challenge) || realm === undefined)
      throw new RuntimeError('UNAUTHENTICATED', `${endpoint.base.host} asks for unknown authentication: ${challenge.slice(0, 100)}`);
    const url = new URL(realm, endpoint.base);
    if (endpoint.base.protocol === 'https:' && url.protocol !== 'https:')
      throw new RuntimeError('UNAUTHENTICATED', `${endpoint.base.host} wants credentials sent without encryption`);
    const asked = {
      ...(fields.has('service') ? { service: fields.get('service') ?? '' } : {}),
      scope: fields.get('scope') ?? `repository:${endpoint.repository}:pull`,
    };
    const response =
      refreshToken === ''
        ? await request(withQuery(url, asked), basic === undefined ? {} : { authorization: basic }, signal)
        : await request(
            url,
            {},
            signal,
            new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: CLIENT_ID, ...asked }),
          );
    const answer = await body(response, 1024 * 1024);
    if (response.statusCode !== 200)
      throw statusError(
        response.statusCode ?? 0,
        name,
        `failed to fetch ${basic === undefined && refreshToken === '' ? 'anonymous' : 'oauth'} token`,
      );
    const parsed = JSON.parse(answer.toString('utf8')) as { token?: string; access_token?: string };
    return `Bearer ${parsed.token ?? parsed.access_token ?? ''}`;
  }

  /** Follows redirects and one challenge. Credentials stay with the host that they are for. */
  async function get(
    endpoint: Endpoint,
    path: string,
    headers: http.OutgoingHttpHeaders,
    signal?: AbortSignal,
  ): Promise<http.IncomingMessage> {
    let url = new URL(`v2/${endpoint.repository}/${path}`, endpoint.base);
    let challenged = false;
    for (let hops = 0; hops <= redirectsMax; ) {
      const own = url.host === endpoint.base.host && url.protocol === endpoint.base.protocol;
      const response = await request(
        url,
        { ...headers, ...(own && endpoint.authorization !== undefined ? { authorization: endpoint.authorization } : {}) },
        signal,
      );
      const status = response.statusCode ?? 0;
      if (status === 200 || status === 206) return response;
      response.resume();
      const { location } = response.headers;
      if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
        const next = new URL(location, url);
        if (url.protocol === 'https:' && next.protocol !== 'https:')
          throw new RuntimeError('UNAVAILABLE', `${url.host} redirects to ${next.host} without encryption`);
        url = next;
        hops += 1;
        continue;
      }
      if (status === 401 && own && !challenged) {
        challenged = true;
        endpoint.authorization = await token(endpoint, response.headers['www-authenticate'] ?? '', signal);
        continue;
      }
      throw statusError(status, name, path);
    }
    throw new RuntimeError('UNAVAILABLE', `${endpoint.base.host} redirects more than ${redirectsMax} times`);
  }

  /** Every endpoint in turn, each again while it fails in passing; the last failure tells. */
  async function anywhere<T>(fn: (endpoint: Endpoint) => Promise<T>, signal?: AbortSignal): Promise<T> {
    let failure: unknown;
    for (const endpoint of endpoints) {
      for (let attempt = 1; attempt <= (endpoints.length > 1 ? 2 : 3); attempt++) {
        try {
          return await fn(endpoint);
        } catch (err) {
          signal?.throwIfAborted();
          if (failure === undefined || isTransient(failure) || !isTransient(err)) failure = err; // A definite answer of a mirror says more than a host that is out of reach.
          if (!isTransient(err)) break;
          await clock.sleep(backoffDelayMs(attempt, retryPolicy), signal);
        }
      }
    }
    throw failure;
  }

  const document = (path: string, signal?: AbortSignal): Promise<FetchedManifest> =>
    anywhere(async (endpoint) => {
      const bytes = await body(await get(endpoint, path, { accept: manifestTypes.join(', ') }, signal), documentBytesMax);
      return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
    }, signal);

  /** Goes on where a broken connection left off; whole and right by the time it ends, or it throws. */
  async function* layer({ digest, size }: Descriptor, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    let received = 0;
    for (let failures = 0; received < size || size === 0; ) {
      try {
        const response = await anywhere(
          (endpoint) => get(endpoint, `blobs/${digest}`, received > 0 ? { range: `bytes=${received}-` } : {}, signal),
          signal,
        );
        let skip = response.statusCode === 200 ? received : 0; // A host that knows no ranges starts over.
        for await (const part of response as AsyncIterable<Buffer>) {
          const fresh = part.subarray(Math.min(skip, part.length));
          skip -= part.length - fresh.length;
          if (fresh.length === 0) continue;
          received += fresh.length;
          failures = 0;
          if (received > size)
            throw new RuntimeError('INVALID_ARGUMENT', `${name}: layer ${digest} is longer than the ${size} bytes that the manifest says`);
          hash.update(fresh);
          yield fresh;
        }
        if (size === 0) break;
        if (received < size)
          throw new RuntimeError('UNAVAILABLE', `${name}: layer ${digest}: unexpected EOF after ${received} of ${size} bytes`);
      } catch (err) {
        signal?.throwIfAborted();
        const broken = isTransient(err) || !(err instanceof RuntimeError);
        failures += 1;
        if (!broken || failures >= attemptsMax)
          throw broken && !(err instanceof RuntimeError)
            ? new RuntimeError('UNAVAILABLE', `${name}: layer ${digest}: ${String(err)}`, { cause: err })
            : err;
        await clock.sleep(backoffDelayMs(failures, retryPolicy), signal);
      }
    }
    const actual = `sha256:${hash.digest('hex')}`;
    if (actual !== digest) throw new RuntimeError('INVALID_ARGUMENT', `${name}: failed to verify layer: got ${actual}, expected ${digest}`);
  }

  async function verified(path: string, digest: string, signal?: AbortSignal): Promise<FetchedManifest> {
    const fetched = await document(path, signal);
    if (fetched.digest !== digest)
      throw new RuntimeError('INVALID_ARGUMENT', `${name}: failed to verify content: got ${fetched.digest}, expected ${digest}`);
    return fetched;
  }

  return {
    manifest: (wanted, signal) =>
      wanted.startsWith('sha256:') ? verified(`manifests/${wanted}`, wanted, signal) : document(`manifests/${wanted}`, signal),
    document: async ({ digest }, signal) => (await verified(`blobs/${digest}`, digest, signal)).bytes,
    layer,
  };
}

function statusError(status: number, name: string, what: string): RuntimeError {
  const text = `${status} ${http.STATUS_CODES[status] ?? ''}`.trim();
  if (status === 401)
    return new RuntimeError(
      'UNAUTHENTICATED',
      `pull access denied for ${name}, repository does not exist or may require authorization: ${text}`,
    );
  if (status === 403) return new RuntimeError('PERMISSION_DENIED', `pull access denied for ${name}: ${what}: ${text}`);
  if (status === 404)
    return new RuntimeError(
      'NOT_FOUND',
      `failed to resolve image: ${name}: ${what.startsWith('manifests/') ? 'manifest unknown' : what}: not found`,
    );
  if (status === 429) return new RuntimeError('UNAVAILABLE', `${name}: toomanyrequests: ${text}`);
  return new RuntimeError(status >= 500 ? 'UNAVAILABLE' : 'INVALID_ARGUMENT', `${name}: ${what}: unexpected status: ${text}`);
}

function endpointsOf({ registry, repository }: ImageReference, registries: Registries): Endpoint[] {
  const mirror = registries.mirrors.get(registry) ?? registries.mirrors.get('*');
  const rewrite = mirror?.rewrites.find(({ pattern }) => pattern.test(repository));
  const atMirror = rewrite === undefined ? repository : repository.replace(rewrite.pattern, rewrite.replacement);
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const own = new URL(`https://${host}/`);
  const mirrors = (mirror?.endpoints ?? []).map((base) => ({ base, repository: atMirror }));
  return mirrors.some(({ base }) => base.host === own.host) ? mirrors : [...mirrors, { base: own, repository }];
}

function tlsOf(config: ReturnType<Registries['configs']['get']>): https.RequestOptions {
  const tls = config?.tls;
  if (tls === undefined) return {};
  return {
    ...(tls.caFile === undefined ? {} : { ca: readFileSync(tls.caFile) }),
    ...(tls.certFile === undefined ? {} : { cert: readFileSync(tls.certFile) }),
    ...(tls.keyFile === undefined ? {} : { key: readFileSync(tls.keyFile) }),
    ...(tls.insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
  };
}

function withQuery(url: URL, query: Readonly<Record<string, string>>): URL {
  const asked = new URL(url);
  for (const [key, value] of Object.entries(query)) asked.searchParams.set(key, value);
  return asked;
}

/** A pull secret is for the registry that the image names, and its own mirrors; configured credentials for their host. */
function credentialsOf(
  endpoint: Endpoint,
  reference: ImageReference,
  auth: AuthConfig | undefined,
  registries: Registries,
): RegistryHostConfig['auth'] {
  const configured =
    registries.configs.get(endpoint.base.host) ?? (reference.registry === endpoint.base.host ? registries.configs.get('*') : undefined);
  return auth ?? configured?.auth;
}

function basicOf(given: RegistryHostConfig['auth']): string | undefined {
  if (given?.auth !== undefined && given.auth !== '') return `Basic ${given.auth}`;
  if (given?.username === undefined || given.username === '') return undefined;
  return `Basic ${Buffer.from(`${given.username}:${given.password ?? ''}`).toString('base64')}`;
}

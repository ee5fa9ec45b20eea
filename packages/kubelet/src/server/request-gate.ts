import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { KubeObject, Resource } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { Client } from '@orrery/client';
import type { Logger } from '@orrery/component';
import { messageOf } from '../runtime/errors.ts';
import { HttpError } from './http-error.ts';
import { newKeptAnswers } from './kept-answers.ts';
import { parseUrl } from './request-url.ts';

/** Who asks: the subject of a certificate of the cluster's authority, or what the API server says of a bearer token. */
interface User {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Who may ask this kubelet for what. */
export interface RequestGate {
  /** Rejects with an `HttpError`: 401 for nobody in particular, 403 for who may not, 500 when the API server cannot be asked. */
  admit(request: IncomingMessage): Promise<void>;
}

interface Deps {
  readonly client: Pick<Client, 'create'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly nodeName: string;
}

// As KubeletConfiguration's authentication.webhook and authorization.webhook.
const TOKEN_MS = 120_000;
const ALLOWED_MS = 300_000;
const DENIED_MS = 30_000;

const review = (group: string, kind: string): Resource => ({
  group: `${group}.k8s.io`,
  version: 'v1',
  kind,
  resource: `${kind.toLowerCase()}s`,
  namespaced: false,
});
const tokenReviews = review('authentication', 'TokenReview');
const accessReviews = review('authorization', 'SubjectAccessReview');

type Reviewed = KubeObject & {
  readonly status?: { readonly authenticated?: boolean; readonly user?: User; readonly allowed?: boolean };
};

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const streams = ['exec', 'attach', 'portForward', 'run'];

/**
 * What a request is in terms of `nodes`, the finest subresource first. Source: kubelet NodeRequestAttributesGetter. Other than upstream,
 * commands and forwarded ports are always `create`, also over WebSocket, whose requests are GETs: who may read may not enter.
 */
export function attributesOf(method: string, [first = '', second]: readonly string[]): { verb: string; subresources: readonly string[] } {
  const verb = streams.includes(first) ? 'create' : (verbs[method] ?? '');
  if (first === 'stats' || first === 'metrics') return { verb, subresources: [first] };
  if (first === 'logs') return { verb, subresources: ['log'] };
  if (first === 'checkpoint') return { verb, subresources: ['checkpoint', 'proxy'] };
  if (first === 'healthz') return { verb, subresources: ['healthz', 'proxy'] };
  if ((first === 'pods' || first === 'runningpods' || first === 'configz') && second === undefined) {
    return { verb, subresources: [first === 'configz' ? 'configz' : 'pods', 'proxy'] };
  }
  return { verb, subresources: ['proxy'] };
}

/** Certificates are checked here, tokens and rights by the API server, whose answers are kept for a while. */
export function newRequestGate({ client, clock, log, nodeName }: Deps): RequestGate {
  const users = newKeptAnswers<User | undefined>(clock, (user) => (user === undefined ? DENIED_MS : TOKEN_MS));
  const rights = newKeptAnswers<boolean>(clock, (allowed) => (allowed ? ALLOWED_MS : DENIED_MS));

  async function ask(resource: Resource, spec: object): Promise<Reviewed['status']> {
    try {
      return ((await client.create(resource, { metadata: {}, spec } as unknown as KubeObject)) as Reviewed).status;
    } catch (err) {
      log.warn('the API server could not be asked about a request', { error: messageOf(err) });
      throw new HttpError(500, 'Internal Error', { cause: err });
    }
  }

  const userOfToken = (token: string): Promise<User | undefined> =>
    users.get(token, async () => {
      const status = await ask(tokenReviews, { token });
      return status?.authenticated === true ? status.user : undefined;
    });

  async function userOf({ socket, headers }: IncomingMessage): Promise<User | undefined> {
    const tls = socket as TLSSocket;
    if (tls.authorized) {
      const { CN, O: organizations = [] } = tls.getPeerCertificate().subject;
      return { username: String(CN), groups: [...[organizations].flat(), 'system:authenticated'] };
    }
    const token = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    return token === undefined ? undefined : await userOfToken(token);
  }

  const mayUse = ({ username, uid, groups = [], extra }: User, verb: string, subresource: string): Promise<boolean> =>
    rights.get(JSON.stringify([username, uid, groups, extra, verb, subresource]), async () => {
      const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName };
      const status = await ask(accessReviews, { user: username, uid, groups, extra, resourceAttributes });
      return status?.allowed === true;
    });

  return {
    async admit(request) {
      const user = await userOf(request);
      if (user === undefined) throw new HttpError(401, 'Unauthorized');
      // Whom the API server does not limit, this does not either: its own requests wait for nobody.
      if (user.groups?.includes('system:masters') === true) return;
      const { verb, subresources } = attributesOf(request.method ?? '', parseUrl(request).parts);
      for (const subresource of subresources) if (await mayUse(user, verb, subresource)) return;
      throw new HttpError(
        403,
        `Forbidden (user=${user.username}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])\n`,
      );
    },
  };
}

import { nodes, pods, secrets } from '@orrery/api';
import type { BoundObjectReference, TokenRequest } from '@orrery/api/authentication/v1';
import type { Pod, ServiceAccount } from '@orrery/api/core/v1';
import {
  type Draft,
  type FieldError,
  formatTime,
  invalid,
  isNotFound,
  type KubeObject,
  newBadRequest,
  newConflict,
  newInvalid,
  type Resource,
} from '@orrery/apimachinery';
import type { SubresourceContext, SubresourceHandler } from '@orrery/apiserver';
import type { Clock, Random } from '@orrery/base';
import { type BoundClaims, encodeClaims, type Reference } from '../../../authentication/service-account/claims.ts';
import { signJwt } from '../../../authentication/service-account/jwt.ts';
import type { SigningKey } from '../../../authentication/service-account/signing-key.ts';

export interface TokenIssuer {
  readonly key: SigningKey;
  readonly issuer: string;
  /** Whom a token is meant for when the request does not say. */
  readonly audiences: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
}

const SECONDS_MIN = 600;
const SECONDS_MAX = 2 ** 32;
const SECONDS_DEFAULT = 3600;
/** Pods' automatic volumes ask for exactly this. Clients that read their token only once get a year; it says when it should have been replaced. */
const EXTENDED_WISH_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;

/** `serviceaccounts/token`: a new token of the account, for an audience and a time, bound to an object or to the account alone. Source: TokenREST. */
export function newTokenRequestHandler(issuer: TokenIssuer): SubresourceHandler {
  return {
    verbs: ['create'],
    async handle(call, context) {
      const request = context.decodeBody('io.k8s.api.authentication.v1.TokenRequest') as unknown as Draft<TokenRequest>;
      const account = (await context.parent()).object as ServiceAccount;
      prepare(request, account, context, issuer);
      const errors = specErrors(request as TokenRequest);
      if (errors.length > 0) throw newInvalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', errors);
      await context.admit(request as unknown as Draft<KubeObject>, undefined);
      const bound = await boundObjects(request.spec.boundObjectRef as BoundObjectReference | undefined, account, context, call.namespace);
      const claims = claimsFor(request as TokenRequest, account, bound, issuer);
      request.status = {
        token: context.dryRun ? '' : signJwt(issuer.key, encodeClaims(claims)),
        expirationTimestamp: formatTime((claims.issuedAt + (request.spec.expirationSeconds ?? SECONDS_DEFAULT)) * 1000),
      };
      return { type: 'value', code: 201, value: request as unknown as KubeObject, warnings: [] };
    },
  };
}

function prepare(request: Draft<TokenRequest>, { metadata }: ServiceAccount, context: SubresourceContext, issuer: TokenIssuer): void {
  const own = request.metadata as Draft<TokenRequest>['metadata'] | undefined;
  if ((own?.name ?? '') !== '' && own?.name !== metadata.name) {
    throw newBadRequest(
      `the name of the object (${own?.name} based on body) does not match the name on the request (${metadata.name} based on URL)`,
    );
  }
  request.metadata = { ...own, name: metadata.name, creationTimestamp: context.now } as Draft<TokenRequest>['metadata'];
  if (metadata.namespace !== undefined) request.metadata.namespace = metadata.namespace;
  request.spec ??= {} as Draft<TokenRequest>['spec'];
  if ((request.spec.audiences ?? []).length === 0) request.spec.audiences = [...issuer.audiences];
  request.spec.expirationSeconds ??= SECONDS_DEFAULT;
}

/** Source: ValidateTokenRequest. */
function specErrors({ spec }: TokenRequest): FieldError[] {
  const seconds = spec.expirationSeconds ?? SECONDS_DEFAULT;
  const field = 'spec.expirationSeconds';
  if (seconds < SECONDS_MIN) return [invalid(field, seconds, 'may not specify a duration less than 10 minutes')];
  if (seconds > SECONDS_MAX) return [invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')];
  return [];
}

/** What the token is to end with. */
interface Bound {
  readonly pod?: Reference;
  readonly secret?: Reference;
  readonly node?: Reference;
}

const referenceTo = ({ metadata }: KubeObject): Reference => ({ name: metadata.name, uid: metadata.uid });

async function boundObjects(
  reference: BoundObjectReference | undefined,
  account: ServiceAccount,
  context: SubresourceContext,
  namespace: string | undefined,
): Promise<Bound> {
  if (reference === undefined) return {};
  const { kind = '', apiVersion = '', name = '' } = reference;
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const version = slash < 0 ? apiVersion : apiVersion.slice(slash + 1);
  if (group === '' && kind === 'Pod') return await boundPod(reference, account, context, namespace);
  if (group === '' && kind === 'Secret') return { secret: checked(reference, await find(context, secrets, namespace, name)) };
  if (group === '' && kind === 'Node') return { node: checked(reference, await find(context, nodes, undefined, name)) };
  throw newBadRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
}

async function boundPod(
  reference: BoundObjectReference,
  { metadata }: ServiceAccount,
  context: SubresourceContext,
  namespace: string | undefined,
): Promise<Bound> {
  const pod = (await find(context, pods, namespace, reference.name ?? '')) as Pod;
  const used = pod.spec.serviceAccountName ?? '';
  if (used !== metadata.name) {
    throw newBadRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(metadata.name)} to pod running with different serviceaccount name.`,
    );
  }
  const bound = checked(reference, pod);
  const { nodeName = '' } = pod.spec;
  if (nodeName === '') return { pod: bound };
  const node = await find(context, nodes, undefined, nodeName).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  return { pod: bound, node: { name: nodeName, uid: node?.metadata.uid ?? '' } };
}

function checked({ uid = '', kind = '', name = '' }: BoundObjectReference, object: KubeObject): Reference {
  if (uid !== '' && uid !== object.metadata.uid) {
    throw newConflict(
      { group: '', resource: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return referenceTo(object);
}

async function find<T extends KubeObject>(
  context: SubresourceContext,
  { group, version, resource }: Resource<T>,
  namespace: string | undefined,
  name: string,
): Promise<T> {
  const result = await context.call({ verb: 'get', group, version, resource, namespace, name });
  if (result.type !== 'object') throw newBadRequest(`${resource} ${name} cannot be read`);
  return result.item.object as T;
}

function claimsFor({ spec }: TokenRequest, account: ServiceAccount, bound: Bound, issuer: TokenIssuer): BoundClaims {
  const issuedAt = Math.floor(issuer.clock.now() / 1000);
  const seconds = spec.expirationSeconds ?? SECONDS_DEFAULT;
  const audiences = spec.audiences ?? [];
  const forApiServer = audiences.every((audience) => issuer.audiences.includes(audience));
  const extended = bound.pod !== undefined && seconds === EXTENDED_WISH_SECONDS && forApiServer;
  return {
    ...bound,
    issuer: issuer.issuer,
    audiences,
    expiresAt: issuedAt + (extended ? EXTENDED_SECONDS : seconds),
    issuedAt,
    notBefore: issuedAt,
    id: issuer.random.uuid(),
    namespace: account.metadata.namespace ?? '',
    serviceAccount: referenceTo(account),
    ...(extended ? { warnAfter: issuedAt + seconds } : {}),
  };
}

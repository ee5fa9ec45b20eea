import { fieldsOf, type JsonObject, type KubeObject, newBadRequest } from '@orrery/apimachinery';
import type { ResourceDefinition, UserInfo } from '../definition.ts';
import { type Authenticator, authenticate, unknownToken } from './authenticator.ts';

const group = { group: 'authentication.k8s.io', version: 'v1', namespaced: false, verbs: ['create'], strategy: {} } as const;

/** Says who asks: what `kubectl auth whoami` shows. */
export const selfSubjectReviewDefinition: ResourceDefinition = {
  ...group,
  kind: 'SelfSubjectReview',
  resource: 'selfsubjectreviews',
  singular: 'selfsubjectreview',
  typeName: 'io.k8s.api.authentication.v1.SelfSubjectReview',
  answer: (question, { user, now }) =>
    ({ ...question, metadata: { creationTimestamp: now }, status: { userInfo: shown(user) } }) as unknown as KubeObject,
};

/** Says whose a token is, for servers that delegate authentication. */
export function tokenReviewDefinition(authenticators: readonly Authenticator[]): ResourceDefinition {
  return {
    ...group,
    kind: 'TokenReview',
    resource: 'tokenreviews',
    singular: 'tokenreview',
    typeName: 'io.k8s.api.authentication.v1.TokenReview',
    async answer(question, _context, signal) {
      const spec = (fieldsOf(question)['spec'] ?? {}) as JsonObject;
      const token = String(spec['token'] ?? '');
      if (token === '') throw newBadRequest('token is required for TokenReview in authentication');
      const asked = audiencesOf(spec);
      const { user, audiences, refusal } = await authenticate(
        authenticators,
        { certificate: undefined, token, headers: {}, ...(asked === undefined ? {} : { audiences: asked }) },
        signal,
      );
      if (user === undefined) return withStatus(question, { user: {}, error: errorOf(refusal) });
      // An authenticator that knows of no audiences vouches for the API server's alone: it must not be taken for another's.
      const meant = audiences ?? (asked === undefined ? undefined : []);
      if (meant?.length === 0) return withStatus(question, { user: {}, error: 'token has no audience that was asked for' });
      return withStatus(question, { authenticated: true, user: shown(user), ...(meant === undefined ? {} : { audiences: meant }) });
    },
  };
}

const withStatus = (question: object, status: object): KubeObject => ({ ...question, status }) as unknown as KubeObject;

function audiencesOf(spec: JsonObject): readonly string[] | undefined {
  const { audiences } = spec;
  return Array.isArray(audiences) && audiences.length > 0 ? audiences.map(String) : undefined;
}

/** Why a token is refused; delegating servers log it. */
function errorOf(refusal: unknown): string {
  return refusal instanceof Error && refusal !== unknownToken ? `[invalid bearer token, ${refusal.message}]` : 'invalid bearer token';
}

/** As the API shows a user. */
function shown({ username, uid, groups, extra }: UserInfo): object {
  const more = extra === undefined || Object.keys(extra).length === 0 ? {} : { extra };
  return { username, ...(uid === undefined ? {} : { uid }), groups, ...more };
}

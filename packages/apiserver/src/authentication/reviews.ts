import { fieldsOf, type JsonObject, type KubeObject, newBadRequest } from '@orrery/apimachinery';
import type { ResourceDefinition, UserInfo } from '../definition.ts';
import { type Authenticator, authenticate } from './authenticator.ts';

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

/** Says whose a token is, for servers that delegate authentication. Answers that a token is unknown without saying why. */
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
      const { user } = await authenticate(authenticators, { certificate: undefined, token, headers: {} }, signal);
      const audiences = spec['audiences'];
      const named = Array.isArray(audiences) && audiences.length > 0 ? { audiences } : {};
      const status = user === undefined ? { error: 'invalid bearer token' } : { authenticated: true, user: shown(user), ...named };
      return { ...question, status } as unknown as KubeObject;
    },
  };
}

/** As the API shows a user. */
function shown({ username, uid, groups, extra }: UserInfo): object {
  const more = extra === undefined || Object.keys(extra).length === 0 ? {} : { extra };
  return { username, ...(uid === undefined ? {} : { uid }), groups, ...more };
}

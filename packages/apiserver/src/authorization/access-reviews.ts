import { type FieldError, fieldsOf, invalid, type JsonObject, type KubeObject, newBadRequest } from '@orrery/apimachinery';
import type { ResourceDefinition, UserInfo } from '../definition.ts';
import type { Attributes, Authorizer } from './authorizer.ts';

/** The kinds of authorization.k8s.io/v1: what people and delegating servers ask of the rules. */
export function accessReviewDefinitions(authorizer: Authorizer): readonly ResourceDefinition[] {
  const answerFor =
    (user: (spec: JsonObject, asker: UserInfo) => UserInfo): NonNullable<ResourceDefinition['answer']> =>
    async (question, context, signal) => {
      const spec = specOf(question as KubeObject);
      const { decision, reason } = await authorizer.authorize(attributesOf(spec, user(spec, context.user)), signal);
      const denied = decision === 'deny' ? { denied: true } : {};
      return withStatus(question as KubeObject, { allowed: decision === 'allow', ...denied, ...(reason === '' ? {} : { reason }) });
    };
  return [
    {
      ...review('LocalSubjectAccessReview', true),
      strategy: { validate: (object) => [...subjectErrors(object), ...attributeErrors(object), ...localErrors(object)] },
      answer: answerFor(subjectOf),
    },
    { ...review('SelfSubjectAccessReview'), strategy: { validate: attributeErrors }, answer: answerFor((_spec, asker) => asker) },
    {
      ...review('SelfSubjectRulesReview'),
      strategy: {},
      async answer(question, { user }, signal) {
        const namespace = textOf(specOf(question as KubeObject), 'namespace');
        if (namespace === '') throw newBadRequest('no namespace on request');
        return withStatus(question as KubeObject, { ...(await authorizer.rulesFor(user, namespace, signal)) });
      },
    },
    {
      ...review('SubjectAccessReview'),
      strategy: { validate: (object) => [...attributeErrors(object), ...subjectErrors(object)] },
      answer: answerFor(subjectOf),
    },
  ];
}

type Review = Pick<ResourceDefinition, 'group' | 'version' | 'kind' | 'resource' | 'singular' | 'namespaced' | 'typeName'> & {
  readonly verbs: readonly string[];
};

function review(kind: string, namespaced = false): Review {
  const singular = kind.toLowerCase();
  return {
    group: 'authorization.k8s.io',
    version: 'v1',
    kind,
    resource: `${singular}s`,
    singular,
    namespaced,
    typeName: `io.k8s.api.authorization.v1.${kind}`,
    verbs: ['create'],
  };
}

const withStatus = (question: KubeObject, status: object): KubeObject => ({ ...question, status }) as KubeObject;
const specOf = (object: KubeObject): JsonObject => (fieldsOf(object)['spec'] ?? {}) as JsonObject;
const textOf = (object: JsonObject, field: string): string => String(object[field] ?? '');

function subjectOf(spec: JsonObject): UserInfo {
  const uid = textOf(spec, 'uid');
  return {
    username: textOf(spec, 'user'),
    groups: (spec['groups'] ?? []) as readonly string[],
    ...(uid === '' ? {} : { uid }),
    extra: (spec['extra'] ?? {}) as Record<string, readonly string[]>,
  };
}

function attributesOf(spec: JsonObject, user: UserInfo): Attributes {
  const path = spec['nonResourceAttributes'] as JsonObject | undefined;
  if (path !== undefined) return { type: 'path', user, verb: textOf(path, 'verb'), path: textOf(path, 'path') };
  const resource = (spec['resourceAttributes'] ?? {}) as JsonObject;
  return {
    type: 'resource',
    user,
    verb: textOf(resource, 'verb'),
    group: textOf(resource, 'group'),
    version: textOf(resource, 'version') || '*',
    resource: textOf(resource, 'resource'),
    subresource: textOf(resource, 'subresource'),
    namespace: textOf(resource, 'namespace'),
    name: textOf(resource, 'name'),
  };
}

/** Source: authorization validation `ValidateSelfSubjectAccessReviewSpec`. */
function attributeErrors(object: KubeObject): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = specOf(object);
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    return [invalid('spec.nonResourceAttributes', nonResourceAttributes, 'cannot be specified in combination with resourceAttributes')];
  }
  if (resourceAttributes !== undefined || nonResourceAttributes !== undefined) return [];
  return [invalid('spec.resourceAttributes', undefined, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')];
}

function subjectErrors(object: KubeObject): FieldError[] {
  const { user = '', groups } = specOf(object);
  const none = user === '' && (!Array.isArray(groups) || groups.length === 0);
  return none ? [invalid('spec.user', user, 'at least one of user or group must be specified')] : [];
}

function localErrors(object: KubeObject): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = specOf(object);
  const errors: FieldError[] = [];
  const namespace = resourceAttributes === undefined ? undefined : textOf(resourceAttributes as JsonObject, 'namespace');
  if (namespace !== undefined && namespace !== (object.metadata.namespace ?? '')) {
    errors.push(invalid('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace'));
  }
  if (nonResourceAttributes !== undefined) {
    errors.push(invalid('spec.nonResourceAttributes', nonResourceAttributes, 'disallowed on this kind of request'));
  }
  return errors;
}

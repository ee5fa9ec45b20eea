import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '@orrery/api';
import type { ClusterRole, ClusterRoleBinding, Subject } from '@orrery/api/rbac/v1';
import { isAlreadyExists, isConflict, type KubeObject, type Resource } from '@orrery/apimachinery';
import type { Client } from '@orrery/client';
import { missingRules } from '../../authorization/rbac/rule-cover.ts';
import { defaultPolicy } from './policy.ts';

type Access = Pick<Client, 'list' | 'create' | 'update'>;

/**
 * Makes the default policy, and adds to what is there the rules and subjects that are missing, unless its annotation
 * `rbac.authorization.kubernetes.io/autoupdate` is `false`. Nothing is ever taken away. Source: PostStartHook `rbac/bootstrap-roles`.
 */
export async function reconcileRbac(client: Access): Promise<void> {
  const policy = defaultPolicy();
  await Promise.all([
    reconcileKind(client, clusterRoles, policy.clusterRoles, withMissingRules),
    reconcileKind(client, clusterRoleBindings, policy.clusterRoleBindings, withMissingSubjects),
    reconcileKind(client, roles, policy.roles, withMissingRules),
    reconcileKind(client, roleBindings, policy.roleBindings, withMissingSubjects),
  ]);
}

async function reconcileKind<T extends KubeObject>(
  client: Access,
  resource: Resource<T>,
  wanted: readonly object[],
  completed: (current: T, wanted: T) => T | undefined,
): Promise<void> {
  const { items } = await client.list(resource);
  const known = new Map(items.map((item) => [`${item.metadata.namespace ?? ''}/${item.metadata.name}`, item]));
  await Promise.all(
    (wanted as readonly T[]).map(async (object) => {
      const current = known.get(`${object.metadata.namespace ?? ''}/${object.metadata.name}`);
      try {
        if (current === undefined) await client.create(resource, object as Parameters<typeof client.create<T>>[1]);
        else if (current.metadata.annotations?.['rbac.authorization.kubernetes.io/autoupdate'] !== 'false') {
          const next = completed(current, object);
          if (next !== undefined) await client.update(resource, next);
        }
      } catch (error) {
        if (!isAlreadyExists(error) && !isConflict(error)) throw error; // Another server does the same at this moment.
      }
    }),
  );
}

type RoleLike = Pick<ClusterRole, 'rules'>;
type BindingLike = Pick<ClusterRoleBinding, 'subjects'>;

function withMissingRules<T extends RoleLike>(current: T, wanted: T): T | undefined {
  const missing = missingRules(current.rules ?? [], wanted.rules ?? []);
  return missing.length === 0 ? undefined : { ...current, rules: [...(current.rules ?? []), ...missing] };
}

function withMissingSubjects<T extends BindingLike>(current: T, wanted: T): T | undefined {
  const subjects = current.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter((subject) => !subjects.some((known) => keyOf(known) === keyOf(subject)));
  return missing.length === 0 ? undefined : { ...current, subjects: [...subjects, ...missing] };
}

const keyOf = ({ kind, name, namespace = '' }: Subject): string => `${kind}/${namespace}/${name}`;

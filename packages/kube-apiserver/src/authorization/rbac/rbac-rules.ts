import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '@orrery/api';
import type { ClusterRoleBinding, PolicyRule, RoleBinding, RoleRef, Subject } from '@orrery/api/rbac/v1';
import type { UserInfo } from '@orrery/apiserver';
import { type Client, type InformerFactory, type InformerFactoryOptions, newInformerFactory } from '@orrery/client';

const subjectIndex = 'subject';
const subjectInNamespaceIndex = 'subject-in-namespace';

/** The rules of one binding. */
export interface BoundRules {
  readonly binding: ClusterRoleBinding | RoleBinding;
  /** Undefined: the role is missing. */
  readonly rules: readonly PolicyRule[] | undefined;
}

/** Who is bound to which rules, from caches. Costs the number of the subject's own bindings, however many others there are. */
export interface RbacRules {
  /** Bindings of the user: cluster-wide ones, then those of `namespace` where that is not empty. */
  bindingsOf(user: UserInfo, namespace: string): Iterable<BoundRules>;
  /** The rules of a role; undefined: no such role. */
  rulesOf(reference: RoleRef, namespace: string): readonly PolicyRule[] | undefined;
  readonly informers: InformerFactory;
}

/** A subject as a text that equals that of a user who is meant. @param bindingNamespace - Of accounts that name none. */
function subjectKey({ kind, name, namespace }: Subject, bindingNamespace: string): string | undefined {
  if (kind === 'User') return `u:${name}`;
  if (kind === 'Group') return `g:${name}`;
  const own = namespace || bindingNamespace;
  return kind === 'ServiceAccount' && own !== '' ? `u:system:serviceaccount:${own}:${name}` : undefined;
}

const keysOf = ({ subjects = [], metadata }: ClusterRoleBinding | RoleBinding): string[] => [
  ...new Set(subjects.map((subject) => subjectKey(subject, metadata.namespace ?? '')).filter((key) => key !== undefined)),
];

const userKeys = ({ username, groups }: UserInfo): string[] => [`u:${username}`, ...groups.map((group) => `g:${group}`)];

export function newRbacRules(client: Pick<Client, 'list' | 'watch'>, options: InformerFactoryOptions): RbacRules {
  const informers = newInformerFactory(client, options);
  const clusterBindings = informers.informer(clusterRoleBindings, { indexers: { [subjectIndex]: keysOf } });
  const bindings = informers.informer(roleBindings, {
    indexers: { [subjectInNamespaceIndex]: (binding) => keysOf(binding).map((key) => `${binding.metadata.namespace ?? ''}/${key}`) },
  });
  const roleInformer = informers.informer(roles);
  const clusterRoleInformer = informers.informer(clusterRoles);

  const rulesOf = ({ kind, name }: RoleRef, namespace: string): readonly PolicyRule[] | undefined => {
    const role = kind === 'ClusterRole' ? clusterRoleInformer.lister.get(name) : roleInformer.lister.get({ namespace, name });
    return role === undefined ? undefined : (role.rules ?? []);
  };

  return {
    informers,
    rulesOf,
    *bindingsOf(user, namespace) {
      const keys = userKeys(user);
      for (const key of keys) {
        for (const binding of clusterBindings.lister.byIndex(subjectIndex, key)) yield { binding, rules: rulesOf(binding.roleRef, '') };
      }
      if (namespace === '') return;
      for (const key of keys) {
        for (const binding of bindings.lister.byIndex(subjectInNamespaceIndex, `${namespace}/${key}`)) {
          yield { binding, rules: rulesOf(binding.roleRef, namespace) };
        }
      }
    },
  };
}

/** The first subject of a binding that is meant by the user, for people. */
export function describeSubjectOf({ subjects = [], metadata }: ClusterRoleBinding | RoleBinding, user: UserInfo): string {
  const keys = new Set(userKeys(user));
  const subject = subjects.find((candidate) => keys.has(subjectKey(candidate, metadata.namespace ?? '') ?? ''));
  if (subject === undefined) return '';
  const { kind, name, namespace = metadata.namespace ?? '' } = subject;
  return `${kind} ${JSON.stringify(kind === 'ServiceAccount' ? `${name}/${namespace}` : name)}`;
}

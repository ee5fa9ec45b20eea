import type { Subject } from '@orrery/api/rbac/v1';
import { rbacGroup } from '../../registry/rbac/validation.ts';
import { componentRoles } from './component-roles.ts';
import { controllerRules } from './controller-roles.ts';
import { namespaceRoles } from './namespace-roles.ts';
import { parseRules } from './rule-text.ts';
import { type DefaultRole, userRoles } from './user-roles.ts';

const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
const aggregateLabel = (to: string): string => `${rbacGroup}/aggregate-to-${to}`;

const user = (name: string): Subject => ({ kind: 'User', apiGroup: rbacGroup, name });
const group = (name: string): Subject => ({ kind: 'Group', apiGroup: rbacGroup, name });
const account = (name: string, namespace = 'kube-system'): Subject => ({ kind: 'ServiceAccount', name, namespace });

/** Who has which cluster role from the start. The first column is the role's and the binding's name. */
const boundTo: Readonly<Record<string, readonly Subject[]>> = {
  'cluster-admin': [group('system:masters')],
  'system:basic-user': [group('system:authenticated')],
  'system:discovery': [group('system:authenticated')],
  'system:kube-controller-manager': [user('system:kube-controller-manager')],
  'system:kube-dns': [account('kube-dns')],
  'system:kube-scheduler': [user('system:kube-scheduler')],
  'system:monitoring': [group('system:monitoring')],
  'system:node': [],
  'system:node-proxier': [user('system:kube-proxy')],
  'system:public-info-viewer': [group('system:authenticated'), group('system:unauthenticated')],
  'system:service-account-issuer-discovery': [group('system:serviceaccounts')],
  'system:volume-scheduler': [user('system:kube-scheduler')],
};

const requests = 'system:certificates.k8s.io:certificatesigningrequests';

/** What joining needs: machines with a token ask for a node's certificate, and nodes renew theirs. Names are kubeadm's where it has them. */
const joinBindings: Readonly<Record<string, { readonly role: string; readonly subject: Subject }>> = {
  'kubeadm:kubelet-bootstrap': { role: 'system:node-bootstrapper', subject: group('system:bootstrappers') },
  'kubeadm:node-autoapprove-bootstrap': { role: `${requests}:nodeclient`, subject: group('system:bootstrappers') },
  'kubeadm:node-autoapprove-certificate-rotation': { role: `${requests}:selfnodeclient`, subject: group('system:nodes') },
  'orrery:node-autoapprove-serving-certificate': {
    role: 'orrery:certificatesigningrequests:selfnodeserver',
    subject: group('system:nodes'),
  },
  'orrery:node-services': { role: 'orrery:node-services', subject: group('system:nodes') },
};

/** Every object of the default policy, without kind and version. Source: upstream's bootstrap policy. */
export interface DefaultPolicy {
  readonly clusterRoles: readonly object[];
  readonly clusterRoleBindings: readonly object[];
  readonly roles: readonly object[];
  readonly roleBindings: readonly object[];
}

const metadata = (name: string, more: object = {}): object => ({ name, labels: { ...labels, ...more }, annotations });

function clusterRole(name: string, { rules, aggregates, aggregateTo }: DefaultRole): object {
  const label = aggregateTo === undefined ? {} : { [aggregateLabel(aggregateTo)]: 'true' };
  return {
    metadata: metadata(name, label),
    ...(rules === undefined ? {} : { rules: parseRules(rules) }),
    ...(aggregates === undefined
      ? {}
      : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregateLabel(aggregates)]: 'true' } }] } }),
  };
}

const clusterRoleBinding = (name: string, subjects: readonly Subject[], role = name): object => ({
  metadata: metadata(name),
  roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: role },
  ...(subjects.length === 0 ? {} : { subjects }),
});

export function defaultPolicy(): DefaultPolicy {
  const named = { ...userRoles, ...componentRoles };
  const controllers = Object.entries(controllerRules).map(([name, rules]) => ({ name, role: `system:controller:${name}`, rules }));
  return {
    clusterRoles: [
      ...Object.entries(named).map(([name, role]) => clusterRole(name, role)),
      ...controllers.map(({ role, rules }) => clusterRole(role, { rules })),
    ],
    clusterRoleBindings: [
      ...Object.entries(boundTo).map(([name, subjects]) => clusterRoleBinding(name, subjects)),
      ...controllers.map(({ name, role }) => clusterRoleBinding(role, [account(name)])),
      ...Object.entries(joinBindings).map(([name, { role, subject }]) => clusterRoleBinding(name, [subject], role)),
    ],
    roles: namespaceRoles.map(({ namespace, name, rules }) => ({ metadata: { ...metadata(name), namespace }, rules: parseRules(rules) })),
    roleBindings: namespaceRoles
      .filter(({ subjects }) => subjects.length > 0)
      .map(({ namespace, name, subjects }) => ({
        metadata: { ...metadata(name), namespace },
        roleRef: { apiGroup: rbacGroup, kind: 'Role', name },
        subjects,
      })),
  };
}

import type { Subject } from '@orrery/api/rbac/v1';
import { rbacGroup } from '../../registry/rbac/validation.ts';

/** A role in one namespace, and who has it. */
export interface NamespaceRole {
  readonly namespace: string;
  readonly name: string;
  /** As `parseRules` reads them. */
  readonly rules: string;
  readonly subjects: readonly Subject[];
}

const controller = (name: string): Subject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' });

/** Names and rules are upstream's default policy; the last is kubeadm's. */
export const namespaceRoles: readonly NamespaceRole[] = [
  {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication-reader',
    rules: 'ro - configmaps extension-apiserver-authentication',
    subjects: [
      { kind: 'User', apiGroup: rbacGroup, name: 'system:kube-controller-manager' },
      { kind: 'User', apiGroup: rbacGroup, name: 'system:kube-scheduler' },
    ],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:bootstrap-signer',
    rules: 'ro - secrets',
    subjects: [controller('bootstrap-signer')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:cloud-provider',
    rules: 'create,get,list,watch - configmaps',
    subjects: [controller('cloud-provider')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:token-cleaner',
    rules: 'delete,get,list,watch - secrets\nevents',
    subjects: [controller('token-cleaner')],
  },
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    rules: 'ro - configmaps\nupdate - configmaps cluster-info\nevents',
    subjects: [controller('bootstrap-signer')],
  },
  {
    // What a machine that wants to join reads before it has credentials.
    namespace: 'kube-public',
    name: 'kubeadm:bootstrap-signer-clusterinfo',
    rules: 'get - configmaps cluster-info',
    subjects: [{ kind: 'User', apiGroup: rbacGroup, name: 'system:anonymous' }],
  },
];

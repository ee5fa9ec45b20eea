import type { DefaultRole } from './user-roles.ts';

const delegation = `
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews`;

const csr = 'certificates.k8s.io';

/** What a node may do beside what concerns its own pods alone. Source: NodeRules. */
export const nodeRules = `
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews
  ro - services
  create,get,list,watch - nodes
  patch,update - nodes/status
  patch,update - nodes
  create,patch,update -,events.k8s.io events
  ro - pods
  create,delete - pods
  patch,update - pods/status
  create - pods/eviction
  get - persistentvolumeclaims,persistentvolumes
  get - endpoints
  create,get,list,watch ${csr} certificatesigningrequests
  create,delete,get,patch,update coordination.k8s.io leases
  get storage.k8s.io volumeattachments
  create - serviceaccounts/token
  get,patch,update - persistentvolumeclaims/status
  ro storage.k8s.io csidrivers
  create,delete,get,patch,update storage.k8s.io csinodes
  ro node.k8s.io runtimeclasses`;

const signer = (name: string): DefaultRole => ({ rules: `approve ${csr} signers kubernetes.io/${name}` });

/** Roles of the parts of a cluster. Names and rules are upstream's default policy. */
export const componentRoles: Readonly<Record<string, DefaultRole>> = {
  'system:auth-delegator': { rules: delegation },
  [`system:${csr}:certificatesigningrequests:nodeclient`]: { rules: `create ${csr} certificatesigningrequests/nodeclient` },
  [`system:${csr}:certificatesigningrequests:selfnodeclient`]: { rules: `create ${csr} certificatesigningrequests/selfnodeclient` },
  [`system:${csr}:kube-apiserver-client-approver`]: signer('kube-apiserver-client'),
  [`system:${csr}:kube-apiserver-client-kubelet-approver`]: signer('kube-apiserver-client-kubelet'),
  [`system:${csr}:kubelet-serving-approver`]: signer('kubelet-serving'),
  [`system:${csr}:legacy-unknown-approver`]: signer('legacy-unknown'),
  // Serving certificates: upstream leaves their approval to others.
  'orrery:certificatesigningrequests:selfnodeserver': { rules: `create ${csr} certificatesigningrequests/selfnodeserver` },
  // What serves a node beside its kubelet: Service proxy, DNS, network policies, volumes in directories. NodeRestriction narrows the writes.
  'orrery:node-services': {
    rules: `
      ro - endpoints,namespaces,nodes,persistentvolumeclaims,persistentvolumes,pods,services
      ro discovery.k8s.io endpointslices
      ro networking.k8s.io networkpolicies,servicecidrs
      ro storage.k8s.io storageclasses
      create - services
      create,patch,update discovery.k8s.io endpointslices
      create,delete - persistentvolumes`,
  },
  'system:heapster': { rules: 'ro - events,namespaces,nodes,pods\nro extensions deployments' },
  'system:kube-aggregator': { rules: 'ro - endpoints,services' },
  'system:kube-controller-manager': {
    rules: `
      events
      create coordination.k8s.io leases
      get,update coordination.k8s.io leases kube-controller-manager
      create - secrets,serviceaccounts
      delete - secrets
      get - configmaps,namespaces,secrets,serviceaccounts
      update - secrets,serviceaccounts
      ${delegation}
      list,watch * *
      create - serviceaccounts/token`,
  },
  'system:kube-dns': { rules: 'list,watch - endpoints,services' },
  'system:kube-scheduler': {
    rules: `
      events
      create coordination.k8s.io leases
      get,update coordination.k8s.io leases kube-scheduler
      ro - nodes
      delete,get,list,watch - pods
      create - bindings,pods/binding
      patch,update - pods/status
      ro - replicationcontrollers,services
      ro apps,extensions replicasets
      ro apps statefulsets
      ro policy poddisruptionbudgets
      ro - persistentvolumeclaims,persistentvolumes
      ${delegation}
      ro storage.k8s.io csinodes
      ro - namespaces
      ro storage.k8s.io csidrivers
      ro storage.k8s.io csistoragecapacities
      ro resource.k8s.io deviceclasses,resourceslices
      get,list,patch,update,watch resource.k8s.io resourceclaims
      patch,update resource.k8s.io resourceclaims/status`,
  },
  'system:kubelet-api-admin': {
    rules: `
      ro - nodes
      proxy - nodes
      * - nodes/checkpoint,nodes/configz,nodes/healthz,nodes/log,nodes/metrics,nodes/pods,nodes/proxy,nodes/stats`,
  },
  'system:node': { rules: `${nodeRules}\nro - configmaps,secrets` },
  'system:node-bootstrapper': { rules: `create,get,list,watch ${csr} certificatesigningrequests` },
  'system:node-problem-detector': { rules: 'get - nodes\npatch - nodes/status\nevents' },
  'system:node-proxier': {
    rules: `
      list,watch - endpoints,services
      ro - nodes
      events
      list,watch discovery.k8s.io endpointslices
      list,watch networking.k8s.io servicecidrs`,
  },
  'system:persistent-volume-provisioner': {
    rules: `
      create,delete,get,list,watch - persistentvolumes
      get,list,update,watch - persistentvolumeclaims
      ro storage.k8s.io storageclasses
      watch - events
      events`,
  },
  'system:volume-scheduler': {
    rules: `
      get,list,patch,update,watch - persistentvolumes
      ro storage.k8s.io storageclasses
      get,list,patch,update,watch - persistentvolumeclaims`,
  },
};

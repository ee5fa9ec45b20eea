const csr = 'certificates.k8s.io';
const requests = 'certificatesigningrequests';

/** Rules of each built-in controller, by the name of its service account in kube-system. Names and rules are upstream's default policy. */
export const controllerRules: Readonly<Record<string, string>> = {
  'attachdetach-controller': `
    list,watch - persistentvolumes,persistentvolumeclaims
    ro - nodes
    patch,update - nodes/status
    list,watch - pods
    events
    create,delete,get,list,watch storage.k8s.io volumeattachments
    ro storage.k8s.io csidrivers
    ro storage.k8s.io csinodes`,
  'certificate-controller': `
    delete,get,list,watch ${csr} ${requests}
    update ${csr} ${requests}/approval,${requests}/status
    approve ${csr} signers kubernetes.io/kube-apiserver-client-kubelet
    sign ${csr} signers kubernetes.io/legacy-unknown,kubernetes.io/kube-apiserver-client,kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving
    create authorization.k8s.io subjectaccessreviews
    events`,
  'clusterrole-aggregation-controller': 'escalate,get,list,patch,update,watch rbac.authorization.k8s.io clusterroles',
  'cronjob-controller': `
    get,list,update,watch batch cronjobs
    create,delete,get,list,patch,update,watch batch jobs
    update batch cronjobs/status
    update batch cronjobs/finalizers
    delete,list,watch - pods
    events`,
  'daemon-set-controller': `
    ro extensions,apps daemonsets
    update extensions,apps daemonsets/status
    update extensions,apps daemonsets/finalizers
    ro - nodes
    create,delete,list,patch,watch - pods
    create - pods/binding
    create,delete,get,list,patch,update,watch apps controllerrevisions
    events`,
  'deployment-controller': `
    get,list,update,watch extensions,apps deployments
    update extensions,apps deployments/status
    update extensions,apps deployments/finalizers
    create,delete,get,list,patch,update,watch apps,extensions replicasets
    get,list,update,watch - pods
    events`,
  'disruption-controller': `
    ro extensions,apps deployments
    ro apps,extensions replicasets
    ro - replicationcontrollers
    ro policy poddisruptionbudgets
    ro apps statefulsets
    update policy poddisruptionbudgets/status
    patch,update - pods/status
    get * */scale
    events`,
  'endpoint-controller': `
    ro - services,pods
    create,delete,get,list,update,watch - endpoints
    create - endpoints/restricted
    events`,
  'endpointslice-controller': `
    ro - services,pods,nodes
    update - services/finalizers
    create,delete,get,list,update,watch discovery.k8s.io endpointslices
    events`,
  'endpointslicemirroring-controller': `
    ro - services,endpoints
    update - services/finalizers
    update - endpoints/finalizers
    create,delete,get,list,update,watch discovery.k8s.io endpointslices
    events`,
  'ephemeral-volume-controller': `
    ro - pods
    update - pods/finalizers
    create,get,list,watch - persistentvolumeclaims
    events`,
  'expand-controller': `
    get,list,patch,update,watch - persistentvolumes
    patch,update - persistentvolumeclaims/status
    ro - persistentvolumeclaims
    events
    get - services`,
  'generic-garbage-collector': 'delete,get,list,patch,update,watch * *\nevents',
  'horizontal-pod-autoscaler': `
    ro autoscaling horizontalpodautoscalers
    update autoscaling horizontalpodautoscalers/status
    get,update * */scale
    list,watch - pods
    list,watch metrics.k8s.io pods
    ro custom.metrics.k8s.io *
    ro external.metrics.k8s.io *
    events`,
  'job-controller': `
    get,list,patch,update,watch batch jobs
    update batch jobs/status
    update batch jobs/finalizers
    create,delete,list,patch,watch - pods
    events`,
  'legacy-service-account-token-cleaner': `
    get - configmaps kube-apiserver-legacy-service-account-token-tracking
    delete,patch - secrets`,
  'namespace-controller': `
    delete,get,list,watch - namespaces
    update - namespaces/finalize,namespaces/status
    delete,deletecollection,get,list,watch * *`,
  'node-controller': `
    delete,get,list,patch,update,watch - nodes
    patch,update - nodes/status
    patch,update - pods/status
    delete,get,list,watch - pods
    events`,
  'persistent-volume-binder': `
    create,delete,get,list,update,watch - persistentvolumes
    update - persistentvolumes/status
    get,list,update,watch - persistentvolumeclaims
    update - persistentvolumeclaims/status
    create,delete,get,list,watch - pods
    ro storage.k8s.io storageclasses
    list,watch - nodes
    events
    watch - events
    get - services`,
  'pod-garbage-collector': `
    delete,list,watch - pods
    ro - nodes
    patch - pods/status`,
  'pv-protection-controller': 'get,list,update,watch - persistentvolumes\nevents',
  'pvc-protection-controller': 'get,list,update,watch - persistentvolumeclaims\nro - pods\nevents',
  'replicaset-controller': `
    get,list,update,watch apps,extensions replicasets
    update apps,extensions replicasets/status
    update apps,extensions replicasets/finalizers
    create,delete,list,patch,watch - pods
    events`,
  'replication-controller': `
    get,list,update,watch - replicationcontrollers
    update - replicationcontrollers/status
    update - replicationcontrollers/finalizers
    create,delete,list,patch,watch - pods
    events`,
  'resource-claim-controller': `
    ro - pods
    update - pods/finalizers
    create,delete,get,list,watch resource.k8s.io resourceclaims
    patch,update resource.k8s.io resourceclaims,resourceclaims/status
    patch,update - pods/status
    events`,
  'resourcequota-controller': 'list,watch * *\nupdate - resourcequotas/status\nevents',
  'root-ca-cert-publisher': 'create,update - configmaps\nevents',
  'route-controller': 'list,watch - nodes\npatch - nodes/status\nevents',
  'selinux-warning-controller': `
    events
    ro - persistentvolumes
    ro - persistentvolumeclaims
    ro - pods
    ro storage.k8s.io csidrivers`,
  'service-account-controller': 'create - serviceaccounts\nevents',
  'service-cidrs-controller': `
    get,list,patch,update,watch networking.k8s.io servicecidrs
    patch,update networking.k8s.io servicecidrs/finalizers
    patch,update networking.k8s.io servicecidrs/status
    ro networking.k8s.io ipaddresses
    events`,
  'service-controller': `
    ro - services
    patch,update - services/status
    list,watch - nodes
    events`,
  'statefulset-controller': `
    list,watch - pods
    ro apps statefulsets
    update apps statefulsets/status
    update apps statefulsets/finalizers
    create,delete,get,patch,update - pods
    create,delete,get,list,patch,update,watch apps controllerrevisions
    create,get,list,watch - persistentvolumeclaims
    delete,update - persistentvolumeclaims
    update - pods/finalizers
    events`,
  'ttl-after-finished-controller': 'delete,get,list,watch batch jobs\nevents',
  'ttl-controller': 'list,patch,update,watch - nodes\nevents',
  'validatingadmissionpolicy-status-controller': `
    ro admissionregistration.k8s.io validatingadmissionpolicies
    get,patch,update admissionregistration.k8s.io validatingadmissionpolicies/status
    events`,
  'volumeattributesclass-protection-controller': `
    ro - persistentvolumeclaims
    ro - persistentvolumes
    get,list,update,watch storage.k8s.io volumeattributesclasses
    events`,
};

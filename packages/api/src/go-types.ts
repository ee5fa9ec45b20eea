const core = 'io.k8s.api.core.v1';

/** Go's named scalars where a client is likely to send the wrong type: error messages show the name. */
export const goTypes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { uid: 'types.UID' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference': { uid: 'types.UID' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement': { operator: 'v1.LabelSelectorOperator' },
  [`${core}.PodSpec`]: {
    restartPolicy: 'v1.RestartPolicy',
    dnsPolicy: 'v1.DNSPolicy',
    preemptionPolicy: 'v1.PreemptionPolicy',
    overhead: 'v1.ResourceList',
  },
  [`${core}.PodStatus`]: { phase: 'v1.PodPhase', qosClass: 'v1.PodQOSClass' },
  [`${core}.Container`]: { imagePullPolicy: 'v1.PullPolicy', terminationMessagePolicy: 'v1.TerminationMessagePolicy' },
  [`${core}.EphemeralContainer`]: { imagePullPolicy: 'v1.PullPolicy', terminationMessagePolicy: 'v1.TerminationMessagePolicy' },
  [`${core}.ContainerPort`]: { protocol: 'v1.Protocol' },
  [`${core}.HTTPGetAction`]: { scheme: 'v1.URIScheme' },
  [`${core}.ResourceRequirements`]: { limits: 'v1.ResourceList', requests: 'v1.ResourceList' },
  [`${core}.ResourceQuotaSpec`]: { hard: 'v1.ResourceList' },
  [`${core}.NodeStatus`]: { capacity: 'v1.ResourceList', allocatable: 'v1.ResourceList' },
  [`${core}.Toleration`]: { operator: 'v1.TolerationOperator', effect: 'v1.TaintEffect' },
  [`${core}.Taint`]: { effect: 'v1.TaintEffect' },
  [`${core}.Secret`]: { type: 'v1.SecretType' },
  [`${core}.ServicePort`]: { protocol: 'v1.Protocol' },
  [`${core}.ServiceSpec`]: {
    type: 'v1.ServiceType',
    sessionAffinity: 'v1.ServiceAffinity',
    externalTrafficPolicy: 'v1.ServiceExternalTrafficPolicy',
    internalTrafficPolicy: 'v1.ServiceInternalTrafficPolicy',
    ipFamilyPolicy: 'v1.IPFamilyPolicy',
  },
  'io.k8s.api.apps.v1.DeploymentStrategy': { type: 'v1.DeploymentStrategyType' },
  'io.k8s.api.apps.v1.DaemonSetUpdateStrategy': { type: 'v1.DaemonSetUpdateStrategyType' },
  'io.k8s.api.apps.v1.StatefulSetUpdateStrategy': { type: 'v1.StatefulSetUpdateStrategyType' },
  'io.k8s.api.apps.v1.StatefulSetSpec': { podManagementPolicy: 'v1.PodManagementPolicyType' },
  'io.k8s.api.batch.v1.JobSpec': { completionMode: 'v1.CompletionMode', podReplacementPolicy: 'v1.PodReplacementPolicy' },
};

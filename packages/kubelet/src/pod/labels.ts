/** Labels by which a sandbox or container is found again in the runtime. Source: kubelet/pkg/types/labels. */
export const podNameLabel = 'io.kubernetes.pod.name';
export const podNamespaceLabel = 'io.kubernetes.pod.namespace';
export const podUidLabel = 'io.kubernetes.pod.uid';
export const containerNameLabel = 'io.kubernetes.container.name';

/** Annotations in which a container carries what a restarted kubelet needs to know of it. Source: kuberuntime/labels.go. */
export const containerHashAnnotation = 'io.kubernetes.container.hash';
export const restartCountAnnotation = 'io.kubernetes.container.restartCount';
export const terminationMessagePathAnnotation = 'io.kubernetes.container.terminationMessagePath';
export const terminationMessagePolicyAnnotation = 'io.kubernetes.container.terminationMessagePolicy';
export const terminationGracePeriodAnnotation = 'io.kubernetes.pod.terminationGracePeriod';
export const deletionGracePeriodAnnotation = 'io.kubernetes.pod.deletionGracePeriod';
export const preStopHandlerAnnotation = 'io.kubernetes.container.preStopHandler';
export const portsAnnotation = 'io.kubernetes.container.ports';

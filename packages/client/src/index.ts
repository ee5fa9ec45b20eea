export type * from './client.ts';
export type { DiscoveredApi, DiscoveredResource } from './discovery/discovered-api.ts';
export { type Discovery, newDiscovery } from './discovery/discovery.ts';
export { type EventOptions, type EventRecorder, silentEventRecorder } from './events/event-recorder.ts';
export { type EventRecorderOptions, newEventRecorder, type RunningEventRecorder } from './events/new-event-recorder.ts';
export type { Credential, CredentialSource } from './http/credential.ts';
export type { TlsCredentials } from './http/dial.ts';
export { type HttpsTransportOptions, isConnectionError, newHttpsTransport, type TokenSource } from './http/https-transport.ts';
export type { DeletedInfo, Handler, HandlerRegistration, Informer } from './informer/informer.ts';
export {
  type InformerFactory,
  type InformerFactoryOptions,
  type InformerOptions,
  newInformerFactory,
} from './informer/informer-factory.ts';
export { listAll, type WholeList } from './informer/list-all.ts';
export { type Indexers, type IndexFunction, type Lister, namespaceIndex } from './informer/lister.ts';
export { newReflector, type Reflector, type ReflectorOptions, type ReflectorScope, type ReflectorSink } from './informer/reflector.ts';
export {
  httpsOptionsOf,
  type InClusterConfig,
  type InClusterOptions,
  inClusterConfig,
  type TransportTuning,
  tokenFromFile,
  transportFromKubeconfig,
} from './kubeconfig/credentials.ts';
export type { PluginHost } from './kubeconfig/exec-plugin.ts';
export { formatKubeconfig, loadKubeconfig, parseKubeconfig, updateKubeconfig, writeKubeconfig } from './kubeconfig/files.ts';
export {
  emptyKubeconfig,
  type Kubeconfig,
  type KubeconfigCluster,
  type KubeconfigContext,
  KubeconfigError,
  type KubeconfigErrorCode,
  type KubeconfigUser,
  type NamedCluster,
  type NamedContext,
  type NamedUser,
  type ResolvedContext,
  resolveContext,
} from './kubeconfig/kubeconfig.ts';
export { mergeKubeconfig, removeContext } from './kubeconfig/merge.ts';
export { type LeaderElector, type LeaderElectorOptions, newLeaderElector } from './leader-election/leader-elector.ts';
export * from './new-client.ts';
export { type ConditionLike, findCondition, isConditionTrue, removeCondition, setCondition } from './objects/conditions.ts';
export {
  byControllerUid,
  controllerRef,
  controllerUidIndex,
  isControlledBy,
  newControllerRef,
  newOwnerRef,
} from './objects/owner-references.ts';
export {
  byNodeName,
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminal,
  isPodTerminating,
  nodeNameIndex,
  podAvailableInMs,
  podReadyCondition,
} from './objects/pods.ts';
export { type ConflictRetry, retryOnConflict } from './objects/retry-on-conflict.ts';
export { type WaitOptions, waitFor } from './objects/wait-for.ts';
export type * from './transport.ts';
export {
  type BucketOptions,
  type ItemBackoff,
  newBucketRateLimiter,
  newControllerRateLimiter,
  newItemRateLimiter,
  newMaxOfRateLimiter,
  type RateLimiter,
} from './workqueue/rate-limiter.ts';
export { newWorkQueue, type WorkQueue, type WorkQueueMetrics, type WorkQueueOptions } from './workqueue/workqueue.ts';
export { newWorkQueueMetrics } from './workqueue/workqueue-metrics.ts';

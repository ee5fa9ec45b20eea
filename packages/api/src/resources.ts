import type { KubeObject, Resource } from '@orrery/apimachinery';
import type { ControllerRevision, Deployment, ReplicaSet } from './generated/apps/v1.ts';
import type { Job } from './generated/batch/v1.ts';
import type { CertificateSigningRequest } from './generated/certificates/v1.ts';
import type { Lease } from './generated/coordination/v1.ts';
import type {
  ConfigMap,
  Endpoints,
  Event,
  LimitRange,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
  Secret,
  Service,
  ServiceAccount,
} from './generated/core/v1.ts';
import type { EndpointSlice } from './generated/discovery/v1.ts';
import type { Event as EventsV1Event } from './generated/events/v1.ts';
import type { Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR } from './generated/networking/v1.ts';
import type { RuntimeClass } from './generated/node/v1.ts';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from './generated/rbac/v1.ts';
import type { PriorityClass } from './generated/scheduling/v1.ts';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from './generated/storage/v1.ts';

const resource = <T extends KubeObject>(
  group: string,
  kind: string,
  name: string,
  scope: 'Namespaced' | 'Cluster' = 'Namespaced',
): Resource<T> => ({
  group,
  version: 'v1',
  kind,
  resource: name,
  namespaced: scope === 'Namespaced',
});

export const configMaps = resource<ConfigMap>('', 'ConfigMap', 'configmaps');
export const endpoints = resource<Endpoints>('', 'Endpoints', 'endpoints');
export const events = resource<Event>('', 'Event', 'events');
export const limitRanges = resource<LimitRange>('', 'LimitRange', 'limitranges');
export const namespaces = resource<Namespace>('', 'Namespace', 'namespaces', 'Cluster');
export const nodes = resource<Node>('', 'Node', 'nodes', 'Cluster');
export const persistentVolumeClaims = resource<PersistentVolumeClaim>('', 'PersistentVolumeClaim', 'persistentvolumeclaims');
export const persistentVolumes = resource<PersistentVolume>('', 'PersistentVolume', 'persistentvolumes', 'Cluster');
export const pods = resource<Pod>('', 'Pod', 'pods');
export const podTemplates = resource<PodTemplate>('', 'PodTemplate', 'podtemplates');
export const replicationControllers = resource<ReplicationController>('', 'ReplicationController', 'replicationcontrollers');
export const resourceQuotas = resource<ResourceQuota>('', 'ResourceQuota', 'resourcequotas');
export const secrets = resource<Secret>('', 'Secret', 'secrets');
export const serviceAccounts = resource<ServiceAccount>('', 'ServiceAccount', 'serviceaccounts');
export const services = resource<Service>('', 'Service', 'services');
export const controllerRevisions = resource<ControllerRevision>('apps', 'ControllerRevision', 'controllerrevisions');
export const deployments = resource<Deployment>('apps', 'Deployment', 'deployments');
export const replicaSets = resource<ReplicaSet>('apps', 'ReplicaSet', 'replicasets');
export const jobs = resource<Job>('batch', 'Job', 'jobs');
export const leases = resource<Lease>('coordination.k8s.io', 'Lease', 'leases');
export const endpointSlices = resource<EndpointSlice>('discovery.k8s.io', 'EndpointSlice', 'endpointslices');
export const eventsV1 = resource<EventsV1Event>('events.k8s.io', 'Event', 'events');
export const ingressClasses = resource<IngressClass>('networking.k8s.io', 'IngressClass', 'ingressclasses', 'Cluster');
export const ingresses = resource<Ingress>('networking.k8s.io', 'Ingress', 'ingresses');
export const ipAddresses = resource<IPAddress>('networking.k8s.io', 'IPAddress', 'ipaddresses', 'Cluster');
export const networkPolicies = resource<NetworkPolicy>('networking.k8s.io', 'NetworkPolicy', 'networkpolicies');
export const serviceCidrs = resource<ServiceCIDR>('networking.k8s.io', 'ServiceCIDR', 'servicecidrs', 'Cluster');
export const runtimeClasses = resource<RuntimeClass>('node.k8s.io', 'RuntimeClass', 'runtimeclasses', 'Cluster');
export const priorityClasses = resource<PriorityClass>('scheduling.k8s.io', 'PriorityClass', 'priorityclasses', 'Cluster');
export const csiDrivers = resource<CSIDriver>('storage.k8s.io', 'CSIDriver', 'csidrivers', 'Cluster');
export const csiNodes = resource<CSINode>('storage.k8s.io', 'CSINode', 'csinodes', 'Cluster');
export const csiStorageCapacities = resource<CSIStorageCapacity>('storage.k8s.io', 'CSIStorageCapacity', 'csistoragecapacities');
export const storageClasses = resource<StorageClass>('storage.k8s.io', 'StorageClass', 'storageclasses', 'Cluster');
export const volumeAttachments = resource<VolumeAttachment>('storage.k8s.io', 'VolumeAttachment', 'volumeattachments', 'Cluster');
export const volumeAttributesClasses = resource<VolumeAttributesClass>(
  'storage.k8s.io',
  'VolumeAttributesClass',
  'volumeattributesclasses',
  'Cluster',
);

export const certificateSigningRequests = resource<CertificateSigningRequest>(
  'certificates.k8s.io',
  'CertificateSigningRequest',
  'certificatesigningrequests',
  'Cluster',
);
export const clusterRoleBindings = resource<ClusterRoleBinding>(
  'rbac.authorization.k8s.io',
  'ClusterRoleBinding',
  'clusterrolebindings',
  'Cluster',
);
export const clusterRoles = resource<ClusterRole>('rbac.authorization.k8s.io', 'ClusterRole', 'clusterroles', 'Cluster');
export const roleBindings = resource<RoleBinding>('rbac.authorization.k8s.io', 'RoleBinding', 'rolebindings');
export const roles = resource<Role>('rbac.authorization.k8s.io', 'Role', 'roles');

import type { ObjectMeta } from '@orrery/apimachinery';

type Minimal = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: Partial<ObjectMeta>;
  readonly [field: string]: unknown;
};

const container = { name: 'main', image: 'registry.example/app:1' };
const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [container] } };
const selector = { matchLabels: { app: 'a' } };
const about = { kind: 'Pod', namespace: 'default', name: 'a', uid: 'u-2' };

/** Of a key that nobody has kept, for `CN=alice`. */
const signingRequest =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIS01ISUNBUUF3RURFT01Bd0dBMVVFQXd3RllXeHBZMlV3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUF' +
  'FNQgpCd05DQUFUV0k3WVNRL1RsY3VhQ1FhdGJIZm9RY1dCd2FEdzBFMW1ZR0FkNkg1SDlqVnJPRWdUVldESlF4Y2c2Cis5QVZVcXRob2NUK1RqVmY3RHpqbTV1WitvZWFv' +
  'QUF3Q2dZSUtvWkl6ajBFQXdJRFNBQXdSUUloQU9adW1pZEoKa3lURHBMWWNBZEpyY0M2T3ZQUjU3bHYzVEwyV3Yvb2lUVDFtQWlBcm1MeVhYRk05YVo5Z2pyRFlDNER5SG' +
  'J5eQpoQ3gxc1VIYVd0N255S05PTkE9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K';

/** The least that makes a valid object of each kind, by `<group>/<kind>`: what the strategy and contract suites create. */
export const minimalObjects: Readonly<Record<string, Minimal>> = {
  '/ConfigMap': { apiVersion: 'v1', kind: 'ConfigMap', data: { key: 'value' } },
  '/Endpoints': { apiVersion: 'v1', kind: 'Endpoints', subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
  '/Event': { apiVersion: 'v1', kind: 'Event', involvedObject: about, reason: 'Started', message: 'Started container', type: 'Normal' },
  '/LimitRange': { apiVersion: 'v1', kind: 'LimitRange', spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } },
  '/Namespace': { apiVersion: 'v1', kind: 'Namespace' },
  '/Node': { apiVersion: 'v1', kind: 'Node' },
  '/PersistentVolume': {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
  },
  '/PersistentVolumeClaim': {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  },
  '/Pod': { apiVersion: 'v1', kind: 'Pod', spec: { containers: [container] } },
  '/PodTemplate': { apiVersion: 'v1', kind: 'PodTemplate', template },
  '/ReplicationController': { apiVersion: 'v1', kind: 'ReplicationController', spec: { template } },
  '/ResourceQuota': { apiVersion: 'v1', kind: 'ResourceQuota', spec: { hard: { pods: '10' } } },
  '/Secret': { apiVersion: 'v1', kind: 'Secret', data: { key: 'dmFsdWU=' } },
  '/Service': { apiVersion: 'v1', kind: 'Service', spec: { selector: { app: 'a' }, ports: [{ port: 80 }] } },
  '/ServiceAccount': { apiVersion: 'v1', kind: 'ServiceAccount' },
  'apps/ControllerRevision': { apiVersion: 'apps/v1', kind: 'ControllerRevision', revision: 1, data: { spec: 1 } },
  'apps/Deployment': { apiVersion: 'apps/v1', kind: 'Deployment', spec: { selector, template } },
  'apps/ReplicaSet': { apiVersion: 'apps/v1', kind: 'ReplicaSet', spec: { selector, template } },
  'batch/Job': { apiVersion: 'batch/v1', kind: 'Job', spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
  'certificates.k8s.io/CertificateSigningRequest': {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    spec: { request: signingRequest, signerName: 'example.com/signer', usages: ['client auth'] },
  },
  'coordination.k8s.io/Lease': { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { holderIdentity: 'me' } },
  'discovery.k8s.io/EndpointSlice': {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'] }],
    ports: [{ port: 80 }],
  },
  'events.k8s.io/Event': {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'example.com/test',
    reportingInstance: 'test-1',
    action: 'Testing',
    reason: 'Tested',
    type: 'Normal',
    regarding: about,
    note: 'it was tested',
  },
  'networking.k8s.io/Ingress': {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    spec: { defaultBackend: { service: { name: 'a', port: { number: 80 } } } },
  },
  'networking.k8s.io/IngressClass': { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', spec: { controller: 'example.com/a' } },
  'networking.k8s.io/IPAddress': {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: '10.96.200.1' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'a' } },
  },
  'networking.k8s.io/NetworkPolicy': { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', spec: { podSelector: {} } },
  'networking.k8s.io/ServiceCIDR': { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', spec: { cidrs: ['10.200.0.0/24'] } },
  'node.k8s.io/RuntimeClass': { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', handler: 'runc' },
  'rbac.authorization.k8s.io/ClusterRole': { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
  'rbac.authorization.k8s.io/ClusterRoleBinding': {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    roleRef: { kind: 'ClusterRole', name: 'view' },
  },
  'rbac.authorization.k8s.io/Role': { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' },
  'rbac.authorization.k8s.io/RoleBinding': {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    roleRef: { kind: 'ClusterRole', name: 'view' },
  },
  'resource.k8s.io/DeviceClass': { apiVersion: 'resource.k8s.io/v1', kind: 'DeviceClass', spec: {} },
  'resource.k8s.io/ResourceClaim': { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', spec: {} },
  'resource.k8s.io/ResourceClaimTemplate': { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaimTemplate', spec: { spec: {} } },
  'resource.k8s.io/ResourceSlice': {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    spec: { driver: 'd.example', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, allNodes: true },
  },
  'scheduling.k8s.io/PriorityClass': { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 1000 },
  'storage.k8s.io/CSIDriver': { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', spec: {} },
  'storage.k8s.io/CSINode': { apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', spec: { drivers: [] } },
  'storage.k8s.io/CSIStorageCapacity': { apiVersion: 'storage.k8s.io/v1', kind: 'CSIStorageCapacity', storageClassName: 'fast' },
  'storage.k8s.io/StorageClass': { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: 'example.com/disk' },
  'storage.k8s.io/VolumeAttachment': {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    spec: { attacher: 'example.com', nodeName: 'n1', source: { persistentVolumeName: 'pv' } },
  },
  'storage.k8s.io/VolumeAttributesClass': {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttributesClass',
    driverName: 'example.com',
    parameters: { iops: '100' },
  },
};

import type { FactOverrides, FieldOverride } from '@orrery/apimachinery';

const always: FieldOverride = { presence: 'always' };
const tcp: FieldOverride = { default: 'TCP' };
const empty: FieldOverride = { default: '' };
const core = 'io.k8s.api.core.v1';
const apps = 'io.k8s.api.apps.v1';

/** What the published OpenAPI v2 document leaves out: defaults of list-map keys, and which optional fields are plain Go structs. */
export const overrides: FactOverrides = {
  [`${core}.ContainerPort`]: { protocol: tcp },
  [`${core}.ServicePort`]: { protocol: tcp },
  [`${core}.LocalObjectReference`]: { name: empty },
  [`${core}.Container`]: { resources: always },
  [`${core}.EphemeralContainer`]: { resources: always },
  [`${core}.ContainerStatus`]: { state: always, lastState: always },
  [`${core}.NodeStatus`]: { daemonEndpoints: always, nodeInfo: always },
  [`${core}.NodeDaemonEndpoints`]: { kubeletEndpoint: always },
  [`${core}.PersistentVolumeClaimSpec`]: { resources: always },
  [`${core}.PodTemplate`]: { template: always },
  [`${core}.ServiceStatus`]: { loadBalancer: always },
  [`${core}.Event`]: { source: always },
  [`${core}.ScaleIOVolumeSource`]: { secretRef: { presence: 'optional' } },
  [`${core}.ScaleIOPersistentVolumeSource`]: { secretRef: { presence: 'optional' } },
  [`${apps}.DaemonSetSpec`]: { updateStrategy: always },
  [`${apps}.DeploymentSpec`]: { strategy: always },
  [`${apps}.ReplicaSetSpec`]: { template: always },
  [`${apps}.StatefulSetSpec`]: { updateStrategy: always },
  'io.k8s.api.discovery.v1.Endpoint': { conditions: always },
  'io.k8s.api.networking.v1.IngressStatus': { loadBalancer: always },
  'io.k8s.api.networking.v1.IPAddressSpec': { parentRef: { presence: 'optional' } },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Status': { status: { presence: 'optional' } },
};

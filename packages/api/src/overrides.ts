import type { FactOverrides, FieldOverride } from '@orrery/apimachinery';
import { goTypes } from './go-types.ts';
import { plainNumbers, pointerStrings } from './pointers.ts';

const always: FieldOverride = { presence: 'always' };
const tcp: FieldOverride = { default: 'TCP' };
const empty: FieldOverride = { default: '' };
const core = 'io.k8s.api.core.v1';
const apps = 'io.k8s.api.apps.v1';

const base: FactOverrides = {
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

/** What the published OpenAPI v2 document leaves out: defaults of list-map keys, Go's types, and what is a pointer in Go. */
export function overridesOf(): FactOverrides {
  const out: Record<string, Record<string, FieldOverride>> = {};
  const add = (type: string, field: string, override: FieldOverride): void => {
    out[type] ??= {};
    out[type][field] = { ...out[type][field], ...override };
  };
  for (const [type, fields] of Object.entries(base)) for (const [field, override] of Object.entries(fields)) add(type, field, override);
  for (const [type, fields] of Object.entries(goTypes)) for (const [field, goType] of Object.entries(fields)) add(type, field, { goType });
  for (const [type, fields] of Object.entries(plainNumbers))
    for (const field of fields.split(' ')) add(fullName(type), field, { pointer: false });
  for (const [type, fields] of Object.entries(pointerStrings))
    for (const field of fields.split(' ')) add(fullName(type), field, { pointer: true });
  return out;
}

const fullName = (name: string): string => (name.startsWith('meta.') ? `io.k8s.apimachinery.pkg.apis.${name}` : `io.k8s.api.${name}`);

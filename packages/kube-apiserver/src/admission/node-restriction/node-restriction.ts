import { pods } from '@orrery/api';
import type { TokenRequest } from '@orrery/api/authentication/v1';
import type { Node, Pod } from '@orrery/api/core/v1';
import { equalJson, isNotFound, type KubeObject, newForbidden } from '@orrery/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/apiserver';
import { nodeNameOf } from '../../authorization/node/node-identity.ts';
import type { AdmissionContext } from '../context.ts';

const MIRROR = 'kubernetes.io/config.mirror';

/** A node changes itself, its pods' states and its lease, and no other's. Source: the admission plugin NodeRestriction. */
export function newNodeRestriction(context: AdmissionContext): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    async validate(object, attributes) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return;
      if (node === '') {
        throw refuse(attributes, `could not determine node from user ${JSON.stringify(attributes.user.username)}`);
      }
      const { group, resource } = attributes.definition;
      switch (group === '' ? resource : `${resource}.${group}`) {
        case 'pods':
          return await checkPod(context, node, object, attributes);
        case 'nodes':
          return checkNode(node, object as Node | undefined, attributes);
        case 'serviceaccounts':
          return await checkToken(context, node, object, attributes);
        case 'leases.coordination.k8s.io':
          return checkLease(node, attributes);
        case 'services':
        case 'endpointslices.discovery.k8s.io':
          return checkDns(node, attributes);
        case 'csinodes.storage.k8s.io':
          if (attributes.name !== node) throw refuse(attributes, `node ${quoted(node)} can only access CSINode with the same name`);
          return;
        default:
      }
    },
  };
}

const quoted = (text: string): string => JSON.stringify(text);

function refuse({ definition, name }: AdmissionAttributes, detail: string): Error {
  return newForbidden({ group: definition.group, resource: definition.resource }, name, detail);
}

async function podOf(context: AdmissionContext, { namespace, name }: AdmissionAttributes): Promise<Pod | undefined> {
  try {
    return await context.client().get(pods, { namespace, name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function checkPod(
  context: AdmissionContext,
  node: string,
  object: KubeObject | undefined,
  attributes: AdmissionAttributes,
): Promise<void> {
  const { operation, subresource, old } = attributes;
  if (subresource === 'eviction') {
    if (operation !== 'CREATE') throw refuse(attributes, `unexpected operation ${operation}`);
    const pod = await podOf(context, attributes);
    if (pod !== undefined && pod.spec.nodeName !== node) {
      throw refuse(attributes, `node ${quoted(node)} can only evict pods with spec.nodeName set to itself`);
    }
    return;
  }
  if (subresource === 'status') {
    if ((old as Pod | undefined)?.spec.nodeName !== node) {
      throw refuse(attributes, `node ${quoted(node)} can only update pod status for pods with spec.nodeName set to itself`);
    }
    const labels = (pod: KubeObject | undefined) => (pod?.metadata.labels ?? {}) as never;
    if (!equalJson(labels(object), labels(old))) {
      throw refuse(attributes, `node ${quoted(node)} cannot update labels through pod status`);
    }
    return;
  }
  if (subresource !== '')
    throw refuse(attributes, `unexpected pod subresource ${quoted(subresource)}, only 'status' and 'eviction' are allowed`);
  if (operation === 'CREATE') return checkMirror(node, object as Pod, attributes);
  if (operation !== 'DELETE')
    throw refuse(attributes, `unexpected operation ${quoted(operation)}, node ${quoted(node)} can only create and delete mirror pods`);
  const pod = (old as Pod | undefined) ?? (await podOf(context, attributes));
  if (pod !== undefined && pod.spec.nodeName !== node) {
    throw refuse(attributes, `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`);
  }
}

function checkMirror(node: string, pod: Pod, attributes: AdmissionAttributes): void {
  if (pod.metadata.annotations?.[MIRROR] === undefined)
    throw refuse(attributes, `pod does not have ${quoted(MIRROR)} annotation, node ${quoted(node)} can only create mirror pods`);
  if (pod.spec.nodeName !== node) throw refuse(attributes, `node ${quoted(node)} can only create pods with spec.nodeName set to itself`);
  if ((pod.spec.serviceAccountName ?? '') !== '')
    throw refuse(attributes, `node ${quoted(node)} can not create pods that reference a service account`);
}

const ownLabels = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);

/** Labels under Kubernetes' own domains decide where pods with secrets go: a node gives itself only those that say what it is. */
function isRestrictedLabel(key: string): boolean {
  const slash = key.indexOf('/');
  const namespace = slash < 0 ? '' : key.slice(0, slash);
  const within = (domain: string): boolean => namespace === domain || namespace.endsWith(`.${domain}`);
  if (!within('kubernetes.io') && !within('k8s.io')) return false;
  if (within('node-restriction.kubernetes.io')) return true;
  return !ownLabels.has(key) && !within('kubelet.kubernetes.io') && !within('node.kubernetes.io');
}

function changedLabels(node: Node, old: Node | undefined): string[] {
  const [next, before] = [node.metadata.labels ?? {}, old?.metadata.labels ?? {}];
  return [...new Set([...Object.keys(next), ...Object.keys(before)])].filter((key) => next[key] !== before[key]).sort();
}

function checkNode(node: string, object: Node | undefined, attributes: AdmissionAttributes): void {
  const { operation, name, old } = attributes;
  if (name !== node && operation !== 'DELETE')
    throw refuse(attributes, `node ${quoted(node)} is not allowed to modify node ${quoted(name)}`);
  if (object === undefined || attributes.subresource === 'status') return;
  const before = old as Node | undefined;
  const restricted = changedLabels(object, before).filter(isRestrictedLabel);
  if (operation === 'CREATE') {
    if (object.spec?.configSource !== undefined)
      throw refuse(attributes, `node ${quoted(node)} is not allowed to create pods with a non-nil configSource`);
    if (restricted.length > 0)
      throw refuse(attributes, `node ${quoted(node)} is not allowed to set the following labels: ${restricted.join(', ')}`);
  }
  if (operation !== 'UPDATE') return;
  if (!equalJson((object.spec?.taints ?? []) as never, (before?.spec?.taints ?? []) as never)) {
    throw refuse(attributes, `node ${quoted(node)} is not allowed to modify taints`);
  }
  if (restricted.length > 0) throw refuse(attributes, `node ${quoted(node)} is not allowed to modify labels: ${restricted.join(', ')}`);
}

async function checkToken(
  context: AdmissionContext,
  node: string,
  object: KubeObject | undefined,
  attributes: AdmissionAttributes,
): Promise<void> {
  if (attributes.subresource !== 'token') return;
  const reference = (object as unknown as TokenRequest).spec.boundObjectRef;
  if (reference === undefined || reference.kind !== 'Pod' || reference.apiVersion !== 'v1' || (reference.name ?? '') === '') {
    throw refuse(attributes, 'node requested token not bound to a pod');
  }
  if ((reference.uid ?? '') === '') throw refuse(attributes, 'node requested token with a pod binding without a uid');
  const pod = await podOf(context, { ...attributes, name: reference.name ?? '' });
  if (pod === undefined) throw refuse(attributes, `pod not found`);
  if (pod.metadata.uid !== reference.uid) {
    throw refuse(
      attributes,
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  if (pod.spec.nodeName !== node) throw refuse(attributes, 'node requested token bound to a pod scheduled on a different node');
}

/** A node announces its own DNS server; nothing else about Services is a node's to say. */
function checkDns(node: string, attributes: AdmissionAttributes): void {
  const { namespace, name, definition } = attributes;
  const wanted = definition.resource === 'services' ? 'kube-dns' : `kube-dns-${node}`;
  if (namespace !== 'kube-system' || name !== wanted) throw refuse(attributes, `node ${quoted(node)} can only announce its own DNS server`);
}

function checkLease(node: string, attributes: AdmissionAttributes): void {
  if (attributes.namespace !== 'kube-node-lease')
    throw refuse(attributes, 'can only access leases in the "kube-node-lease" system namespace');
  if (attributes.name !== node) throw refuse(attributes, 'can only access node lease with the same name as the requesting node');
}

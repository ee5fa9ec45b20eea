import { pods } from '@orrery/api';
import type { PolicyRule } from '@orrery/api/rbac/v1';
import type { Authorizer, Decision, ResourceAttributes } from '@orrery/apiserver';
import type { Client } from '@orrery/client';
import { nodeRules } from '../../bootstrap/rbac/component-roles.ts';
import { parseRules } from '../../bootstrap/rbac/rule-text.ts';
import { ruleAllows } from '../rbac/rule-match.ts';
import { nodeNameOf } from './node-identity.ts';
import { podRefersTo, type Referenced } from './pod-references.ts';

const reads = new Set(['get', 'list', 'watch']);
const allow: Decision = { decision: 'allow', reason: '' };
const noOpinion = (reason = ''): Decision => ({ decision: 'noOpinion', reason });

/**
 * What a node may do: what its pods need, and nothing of other nodes' pods. Which pod uses what is read from the pods themselves, of which
 * a node has few. Source: plugin/pkg/auth/authorizer/node.
 */
export function newNodeAuthorizer(client: Pick<Client, 'get' | 'list'>): Authorizer {
  let rules: readonly PolicyRule[] | undefined;
  return {
    async authorize(attributes) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return noOpinion();
      if (node === '') return noOpinion(`unknown node for user ${JSON.stringify(attributes.user.username)}`);
      if (attributes.type === 'resource') {
        const decision = await decideSpecial(client, node, attributes);
        if (decision !== undefined) return decision;
      }
      rules ??= parseRules(nodeRules);
      return rules.some((rule) => ruleAllows(rule, attributes)) ? allow : noOpinion();
    },
    // Of whoever is no node there is nothing to say: for others the list is whole.
    rulesFor: (user) => ({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: nodeNameOf(user) !== undefined,
      ...(nodeNameOf(user) === undefined ? {} : { evaluationError: 'node authorizer does not support user rule resolution' }),
    }),
  };
}

/** Undefined: the ordinary rules decide. */
async function decideSpecial(
  client: Pick<Client, 'get' | 'list'>,
  node: string,
  attributes: ResourceAttributes,
): Promise<Decision | undefined> {
  const { group, resource, verb, subresource, name } = attributes;
  switch (group === '' ? resource : `${resource}.${group}`) {
    case 'secrets':
    case 'configmaps':
      return await readReferenced(client, node, attributes, resource as Referenced);
    case 'persistentvolumeclaims':
      if (subresource === 'status' && ['get', 'patch', 'update'].includes(verb))
        return await related(client, node, attributes, 'persistentvolumeclaims');
      return await readReferenced(client, node, attributes, 'persistentvolumeclaims');
    case 'resourceclaims.resource.k8s.io':
      return await readReferenced(client, node, attributes, 'resourceclaims');
    case 'serviceaccounts':
      return await createToken(client, node, attributes);
    case 'leases.coordination.k8s.io':
      return ownLease(node, attributes);
    case 'csinodes.storage.k8s.io':
      return subresource === '' && name === node ? undefined : verb === 'create' ? undefined : refuse(node);
    case 'nodes':
      return ownNode(node, attributes);
    default:
      return undefined;
  }
}

const refuse = (node: string): Decision => noOpinion(`no relationship found between node '${node}' and this object`);

async function readReferenced(
  client: Pick<Client, 'get' | 'list'>,
  node: string,
  attributes: ResourceAttributes,
  kind: Referenced,
): Promise<Decision> {
  if (!reads.has(attributes.verb)) return noOpinion('can only read resources of this type');
  if (attributes.subresource !== '') return noOpinion('cannot read subresource');
  return await related(client, node, attributes, kind);
}

async function related(
  client: Pick<Client, 'get' | 'list'>,
  node: string,
  { namespace, name }: ResourceAttributes,
  kind: Referenced,
): Promise<Decision> {
  if (namespace === '') return noOpinion('can only read namespaced object of this type');
  if (name === '') return noOpinion('No Object name found');
  const { items } = await client.list(pods, { namespace, fieldSelector: `spec.nodeName=${node}` });
  return items.some((pod) => podRefersTo(pod, kind, name)) ? allow : refuse(node);
}

async function createToken(client: Pick<Client, 'get' | 'list'>, node: string, attributes: ResourceAttributes): Promise<Decision> {
  if (attributes.verb !== 'create' || attributes.subresource !== 'token')
    return noOpinion('can only create tokens for individual service accounts');
  return await related(client, node, attributes, 'serviceaccounts');
}

function ownLease(node: string, { verb, namespace, name, subresource }: ResourceAttributes): Decision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb))
    return noOpinion('can only get, create, update, patch, or delete a node lease');
  if (subresource !== '') return noOpinion('cannot authorize lease subresources');
  if (namespace !== 'kube-node-lease') return noOpinion('can only access leases in the "kube-node-lease" system namespace');
  if (verb !== 'create' && name !== node) return noOpinion('can only access node lease with the same name as the requesting node');
  return allow;
}

/** A node sees itself; it may list by its own name, and create: the admission plugin NodeRestriction says what. */
function ownNode(node: string, { verb, name }: ResourceAttributes): Decision | undefined {
  if (verb === 'create' || name === node) return undefined;
  if (name === '' && (verb === 'list' || verb === 'watch')) return undefined; // Components of the node beside the kubelet look at other nodes.
  return noOpinion(`node '${node}' cannot ${verb} node '${name}', only its own Node object`);
}

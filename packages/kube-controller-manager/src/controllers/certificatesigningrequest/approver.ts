import { certificateSigningRequests, nodes, services } from '@orrery/api';
import type { CertificateSigningRequest } from '@orrery/api/certificates/v1';
import { isNotFound, type KubeObject, type Resource } from '@orrery/apimachinery';
import type { SigningRequest } from '@orrery/component';
import { type ControllerDescriptor, newController, type Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { hasCondition, kubeletClientProblem, kubeletServingProblem, readRequest, signers } from './request-kinds.ts';

const NAME = 'certificatesigningrequest-approving-controller';

const subjectAccessReviews: Resource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  resource: 'subjectaccessreviews',
  namespaced: false,
};

/** A verdict's words. */
interface Recognized {
  readonly subresource: 'nodeclient' | 'selfnodeclient' | 'selfnodeserver';
  readonly message: string;
}

/**
 * Approves what nodes ask for when they join and when their certificates are about to end, if the rules let the asker. Serving certificates
 * are approved when no name or address in them is another's.
 */
export const certificateApprover: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics } = context;
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: certificateSigningRequests,
      predicate: { onAdd: isOpen, onUpdate: (_, request) => isOpen(request), onDelete: () => false },
      reconciler: newReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

const isOpen = (request: CertificateSigningRequest): boolean =>
  (request.status?.certificate ?? '') === '' && !hasCondition(request, 'Approved') && !hasCondition(request, 'Denied');

function recognize(request: CertificateSigningRequest, read: SigningRequest): Recognized | undefined {
  const { signerName, usages = [], username } = request.spec;
  const own = username === read.commonName;
  if (signerName === signers.kubeletClient && kubeletClientProblem(read, usages) === undefined) {
    return own
      ? { subresource: 'selfnodeclient', message: 'Auto approving self kubelet client certificate after SubjectAccessReview.' }
      : { subresource: 'nodeclient', message: 'Auto approving kubelet client certificate after SubjectAccessReview.' };
  }
  if (own && signerName === signers.kubeletServing && kubeletServingProblem(read, usages) === undefined) {
    return { subresource: 'selfnodeserver', message: "Auto approving kubelet serving certificate: its names are no other node's." };
  }
  return undefined;
}

/**
 * A node may serve under its name and under addresses that are no other's: it says itself which are its own, so all that can be checked is
 * that it does not take the place of another node or of the API server.
 */
async function namesAreFree({ client }: ControllerContext, read: SigningRequest, signal: AbortSignal): Promise<boolean> {
  const name = read.commonName.replace(/^system:node:/, '');
  const { items } = await client.list(nodes, { signal });
  const own = items.find(({ metadata }) => metadata.name === name)?.status?.addresses ?? [];
  const allowed = new Set(['localhost', name, ...own.map(({ address }) => address)]);
  const service = await client.get(services, { namespace: 'default', name: 'kubernetes' }, { signal });
  const taken = new Set(service.spec.clusterIPs ?? []);
  for (const { metadata, status } of items) {
    if (metadata.name !== name) for (const { address } of status?.addresses ?? []) taken.add(address);
  }
  for (const loopback of ['127.0.0.1', '0:0:0:0:0:0:0:1']) taken.delete(loopback); // Every machine's own.
  return read.dnsNames.every((host) => allowed.has(host)) && read.ipAddresses.every((address) => !taken.has(address));
}

function newReconciler(context: ControllerContext): Reconciler {
  const { client, informers } = context;
  const { lister } = informers.informer(certificateSigningRequests);

  async function isAllowed(request: CertificateSigningRequest, subresource: string, signal: AbortSignal): Promise<boolean> {
    const { username, groups, uid, extra } = request.spec;
    const resourceAttributes = {
      group: 'certificates.k8s.io',
      resource: 'certificatesigningrequests',
      verb: 'create',
      subresource,
      version: '*',
    };
    const spec = { user: username, groups, uid, extra, resourceAttributes };
    const review = { metadata: {}, spec: JSON.parse(JSON.stringify(spec)) };
    const answer = (await client.create(subjectAccessReviews, review as unknown as KubeObject, { signal })) as unknown as {
      readonly status?: { readonly allowed?: boolean };
    };
    return answer.status?.allowed === true;
  }

  return {
    async reconcile(key, signal) {
      const request = lister.get(key);
      if (request === undefined || !isOpen(request)) return {};
      const read = readRequest(request);
      const recognized = read === undefined ? undefined : recognize(request, read);
      if (read === undefined || recognized === undefined) return {};
      if (!(await isAllowed(request, recognized.subresource, signal))) return {};
      if (recognized.subresource === 'selfnodeserver' && !(await namesAreFree(context, read, signal))) return {};
      const verdict = { type: 'Approved', status: 'True', reason: 'AutoApproved', message: recognized.message };
      const conditions = [...(request.status?.conditions ?? []), verdict];
      await client
        .update(certificateSigningRequests, { ...request, status: { ...request.status, conditions } }, { subresource: 'approval', signal })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      return {};
    },
  };
}

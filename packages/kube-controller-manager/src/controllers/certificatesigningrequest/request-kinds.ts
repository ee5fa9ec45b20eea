import type { CertificateSigningRequest } from '@orrery/api/certificates/v1';
import { readSigningRequest, type SigningRequest } from '@orrery/component';

export const signers = {
  client: 'kubernetes.io/kube-apiserver-client',
  kubeletClient: 'kubernetes.io/kube-apiserver-client-kubelet',
  kubeletServing: 'kubernetes.io/kubelet-serving',
  legacy: 'kubernetes.io/legacy-unknown',
} as const;

const nodePrefix = 'system:node:';

/** Undefined: it cannot be read. */
export function readRequest({ spec }: CertificateSigningRequest): SigningRequest | undefined {
  try {
    return readSigningRequest(Buffer.from(spec.request, 'base64').toString('latin1'));
  } catch {
    return undefined;
  }
}

export const hasCondition = ({ status }: CertificateSigningRequest, type: string): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type);

const sameUsages = (usages: readonly string[], required: readonly string[], optional: readonly string[]): boolean =>
  required.every((usage) => usages.includes(usage)) && usages.every((usage) => required.includes(usage) || optional.includes(usage));

const isNode = ({ organizations, commonName }: SigningRequest): boolean =>
  organizations.length === 1 && organizations[0] === 'system:nodes' && commonName.startsWith(nodePrefix);

/** Why this is no request for a node's client certificate; undefined: it is one. Source: ValidateKubeletClientCSR. */
export function kubeletClientProblem(request: SigningRequest, usages: readonly string[]): string | undefined {
  if (request.organizations.length !== 1 || request.organizations[0] !== 'system:nodes') return 'subject organization is not system:nodes';
  if (!isNode(request)) return 'subject common name does not begin with system:node:';
  if (request.names.length > 0) return 'DNS, IP, email and URI subjectAltNames are not allowed';
  return sameUsages(usages, ['client auth', 'digital signature'], ['key encipherment']) ? undefined : 'usages did not match';
}

/** Why this is no request for a node's serving certificate; undefined: it is one. Source: ValidateKubeletServingCSR. */
export function kubeletServingProblem(request: SigningRequest, usages: readonly string[]): string | undefined {
  if (request.organizations.length !== 1 || request.organizations[0] !== 'system:nodes') return 'subject organization is not system:nodes';
  if (!isNode(request)) return 'subject common name does not begin with system:node:';
  if (request.dnsNames.length + request.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required';
  if (request.emailAddresses.length + request.uris.length > 0) return 'email and URI subjectAltNames are not allowed';
  return sameUsages(usages, ['server auth', 'digital signature'], ['key encipherment']) ? undefined : 'usages did not match';
}

/** Why a signer may not sign; undefined: it may. Source: pkg/controller/certificates/signer. */
export function signingProblem(signerName: string, request: SigningRequest, usages: readonly string[]): string | undefined {
  if (signerName === signers.kubeletClient) return kubeletClientProblem(request, usages);
  if (signerName === signers.kubeletServing) return kubeletServingProblem(request, usages);
  if (signerName !== signers.client) return undefined;
  const allowed = ['digital signature', 'key encipherment', 'client auth'];
  if (!usages.includes('client auth')) return 'missing usage client auth';
  return usages.every((usage) => allowed.includes(usage)) ? undefined : 'usages did not match';
}

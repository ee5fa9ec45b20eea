import { certificateSigningRequests } from '@orrery/api';
import type { CertificateSigningRequest } from '@orrery/api/certificates/v1';
import type { Clock } from '@orrery/base';
import { type Client, waitFor } from '@orrery/client';
import { type KeyPair, newSigningRequest, type SigningSubject } from '@orrery/component';
import { JoinError } from './cluster-info.ts';

export interface CertificateWish {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
  /** Addresses and names that a serving certificate is for; absent: a client certificate. */
  readonly serving?: Pick<SigningSubject, 'dnsNames' | 'ipAddresses'>;
  readonly signal: AbortSignal;
}

/** Longest wait for an approval: somebody may have to give it by hand. */
const TIMEOUT_MS = 15 * 60_000;

const hasCondition = ({ status }: CertificateSigningRequest, type: string): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type);

/** A new key and the cluster's certificate for it. @throws {JoinError} when the request is denied or cannot be signed. */
export async function requestNodeCertificate({ client, clock, nodeName, serving, signal }: CertificateWish): Promise<KeyPair> {
  const subject = { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'], ...serving };
  const { key, request } = await newSigningRequest(subject);
  const isServing = serving !== undefined;
  const made = await client.create(
    certificateSigningRequests,
    {
      metadata: { generateName: isServing ? 'csr-' : 'node-csr-' },
      spec: {
        request: Buffer.from(request).toString('base64'),
        signerName: isServing ? 'kubernetes.io/kubelet-serving' : 'kubernetes.io/kube-apiserver-client-kubelet',
        usages: ['digital signature', isServing ? 'server auth' : 'client auth'],
      },
    } as unknown as Parameters<typeof client.create<CertificateSigningRequest>>[1],
    { signal },
  );
  const { name } = made.metadata;
  const decided = (found: CertificateSigningRequest | undefined): boolean =>
    found === undefined || (found.status?.certificate ?? '') !== '' || hasCondition(found, 'Denied') || hasCondition(found, 'Failed');
  const answer = await waitFor(client, certificateSigningRequests, { name }, decided, { clock, signal, timeoutMs: TIMEOUT_MS });
  const certificate = answer?.status?.certificate ?? '';
  if (certificate !== '') return { key, cert: Buffer.from(certificate, 'base64').toString('utf8') };
  const verdict = (answer?.status?.conditions ?? []).find(({ type }) => type === 'Denied' || type === 'Failed');
  throw new JoinError(
    `the certificate request ${name} was ${verdict === undefined ? 'deleted' : `${verdict.type.toLowerCase()}: ${verdict.message ?? ''}`}`,
  );
}

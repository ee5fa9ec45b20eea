import { X509Certificate } from 'node:crypto';
import { certificateSigningRequests } from '@orrery/api';
import type { CertificateSigningRequest } from '@orrery/api/certificates/v1';
import { isNotFound } from '@orrery/apimachinery';
import { type KeyPair, signRequest } from '@orrery/component';
import { type ControllerDescriptor, newController, type Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { hasCondition, readRequest, signers, signingProblem } from './request-kinds.ts';

const NAME = 'certificatesigningrequest-signing-controller';
/** As `--cluster-signing-duration`. */
const LIFETIME_MS = 365 * 24 * 3600 * 1000;
const ours: ReadonlySet<string> = new Set(Object.values(signers));

/** Signs approved requests of Kubernetes' own signers with the cluster's authority. Source: upstream's controller of the same name. */
export const certificateSigner: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics, config } = context;
    const { signingAuthority } = config;
    if (signingAuthority === undefined) return { run: async () => undefined };
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: certificateSigningRequests,
      predicate: { onAdd: isDue, onUpdate: (_, request) => isDue(request), onDelete: () => false },
      reconciler: newReconciler(context, signingAuthority),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

const isDue = (request: CertificateSigningRequest): boolean =>
  ours.has(request.spec.signerName) &&
  (request.status?.certificate ?? '') === '' &&
  hasCondition(request, 'Approved') &&
  !hasCondition(request, 'Denied') &&
  !hasCondition(request, 'Failed');

function newReconciler({ client, informers, clock, random }: ControllerContext, authority: KeyPair): Reconciler {
  const { lister } = informers.informer(certificateSigningRequests);
  const authorityEndsMs = Date.parse(new X509Certificate(authority.cert).validTo);

  const certificateFor = (request: CertificateSigningRequest): string => {
    const read = readRequest(request);
    const { signerName, usages = [], expirationSeconds } = request.spec;
    const problem = read === undefined ? 'the request cannot be read' : signingProblem(signerName, read, usages);
    if (read === undefined || problem !== undefined) throw new Error(problem);
    const nowMs = clock.now();
    const lifetimeMs = Math.min(LIFETIME_MS, (expirationSeconds ?? Number.POSITIVE_INFINITY) * 1000);
    const notAfterMs = Math.min(nowMs + lifetimeMs, authorityEndsMs);
    return signRequest(authority, read, { usages, notAfterMs }, { nowMs, serial: () => random.bytes(16) });
  };

  const outcomeOf = (request: CertificateSigningRequest): object => {
    try {
      return { certificate: Buffer.from(certificateFor(request)).toString('base64') };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message };
      return { conditions: [...(request.status?.conditions ?? []), failed] };
    }
  };

  return {
    async reconcile(key, signal) {
      const request = lister.get(key);
      if (request === undefined || !isDue(request)) return {};
      const status = { ...request.status, ...outcomeOf(request) };
      await client.updateStatus(certificateSigningRequests, { ...request, status }, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      return {};
    },
  };
}

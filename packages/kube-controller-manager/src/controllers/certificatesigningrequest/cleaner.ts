import { X509Certificate } from 'node:crypto';
import { certificateSigningRequests } from '@orrery/api';
import type { CertificateSigningRequest } from '@orrery/api/certificates/v1';
import { isNotFound } from '@orrery/apimachinery';
import { type ControllerDescriptor, newController, type Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { hasCondition } from './request-kinds.ts';

const NAME = 'certificatesigningrequest-cleaner-controller';
const HOUR_MS = 3_600_000;
const PENDING_MS = 24 * HOUR_MS;
const DECIDED_MS = HOUR_MS;

/** Deletes requests that are of no more use: an hour after the verdict, a day without one, or with their certificate's end. Source: upstream's CSR cleaner. */
export const certificateCleaner: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics } = context;
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: certificateSigningRequests,
      reconciler: newReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

/** When the request may go, milliseconds since the epoch. */
export function cleanAtMs(request: CertificateSigningRequest): number {
  const { certificate = '', conditions = [] } = request.status ?? {};
  const decided = conditions.filter(({ type }) => ['Approved', 'Denied', 'Failed'].includes(type));
  const times = decided.map(({ lastUpdateTime, lastTransitionTime }) => Date.parse(lastUpdateTime ?? lastTransitionTime ?? ''));
  const [firstMs = Number.NaN] = times;
  if (certificate === '') {
    const waiting = decided.length === 0 || (hasCondition(request, 'Approved') && !hasCondition(request, 'Failed'));
    return waiting ? Date.parse(request.metadata.creationTimestamp) + PENDING_MS : firstMs + DECIDED_MS;
  }
  const endMs = endOf(certificate);
  const issuedMs = Number.isNaN(firstMs) ? Date.parse(request.metadata.creationTimestamp) : firstMs;
  return Math.min(issuedMs + DECIDED_MS, endMs);
}

function endOf(certificate: string): number {
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function newReconciler({ client, informers, clock }: ControllerContext): Reconciler {
  const { lister } = informers.informer(certificateSigningRequests);
  return {
    async reconcile(key, signal) {
      const request = lister.get(key);
      if (request === undefined || request.metadata.deletionTimestamp !== undefined) return {};
      const dueMs = cleanAtMs(request);
      if (dueMs > clock.now()) return { requeueAfterMs: dueMs - clock.now() };
      await client
        .delete(certificateSigningRequests, key, { preconditions: { uid: request.metadata.uid }, signal })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      return {};
    },
  };
}

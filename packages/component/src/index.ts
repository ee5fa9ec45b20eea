export * from './features/feature-gates.ts';
export * from './health/health.ts';
export * from './logging/logger.ts';
export * from './metrics/process-metrics.ts';
export * from './metrics/registry.ts';
export { type CertificateRequest, type IssuerContext, issueCertificate, type KeyPair, newCertificateAuthority } from './pki/certificate.ts';
export { type CertificateUsage, certificateUsages, type SignOptions, signRequest } from './pki/sign-request.ts';
export { newSigningRequest, readSigningRequest, type SigningRequest, type SigningSubject } from './pki/signing-request.ts';

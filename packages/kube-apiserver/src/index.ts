export { type CertificateRequest, type IssuerContext, issueCertificate, type KeyPair, newCertificateAuthority } from '@orrery/component';
export { newTokenSigner } from './authentication/service-account/signer.ts';
export { newSigningKeyPem } from './authentication/service-account/signing-key.ts';
export { type ClusterPki, completePki, leafRequests, type PkiHosts, type PkiName } from './pki/cluster-pki.ts';
export type { ServiceAccountTokens } from './server/identity.ts';
export { type KubeApiserver, type KubeApiserverOptions, startKubeApiserver } from './server/kube-apiserver.ts';
export { componentUser } from './server/users.ts';

export { type CertificateRequest, type IssuerContext, issueCertificate, type KeyPair, newCertificateAuthority } from './pki/certificate.ts';
export { type ClusterPki, completePki, leafRequests, type PkiHosts, type PkiName } from './pki/cluster-pki.ts';
export { type KubeApiserver, type KubeApiserverOptions, startKubeApiserver } from './server/kube-apiserver.ts';
export { componentUser } from './server/users.ts';

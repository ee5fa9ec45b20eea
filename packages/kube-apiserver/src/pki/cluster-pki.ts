import { type CertificateRequest, type IssuerContext, issueCertificate, type KeyPair, newCertificateAuthority } from '@orrery/component';

/** Every certificate of one cluster. All leaves are signed by the one authority. */
export interface ClusterPki {
  readonly ca: KeyPair;
  /** The API server's serving certificate. */
  readonly apiserver: KeyPair;
  /** How the API server shows itself to kubelets. */
  readonly apiserverKubeletClient: KeyPair;
  /** The user's own: `kubernetes-admin` in `system:masters`. */
  readonly admin: KeyPair;
  /** The local kubelet's serving certificate. */
  readonly kubelet: KeyPair;
}
export type PkiName = keyof ClusterPki;

export interface PkiHosts {
  /** Where clients reach the API server, beside loopback and the in-cluster names. */
  readonly apiserver: readonly string[];
  readonly nodeName: string;
  /** Where the API server reaches the node, beside loopback. */
  readonly node: readonly string[];
}

const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(':');
const unique = (values: readonly string[]): string[] => [...new Set(values)];

/** What each leaf certificate says. Names as kubeadm's. */
export function leafRequests({ apiserver, nodeName, node }: PkiHosts): Readonly<Record<Exclude<PkiName, 'ca'>, CertificateRequest>> {
  return {
    apiserver: {
      commonName: 'kube-apiserver',
      usage: 'server',
      dnsNames: unique([
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
        'localhost',
        ...apiserver.filter((host) => !isAddress(host)),
      ]),
      ipAddresses: unique(['127.0.0.1', '::1', ...apiserver.filter(isAddress)]),
    },
    apiserverKubeletClient: { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'], usage: 'client' },
    admin: { commonName: 'kubernetes-admin', organizations: ['system:masters'], usage: 'client' },
    kubelet: {
      commonName: `system:node:${nodeName}`,
      organizations: ['system:nodes'],
      usage: 'both',
      dnsNames: unique([nodeName, 'localhost', ...node.filter((host) => !isAddress(host))]),
      ipAddresses: unique(['127.0.0.1', ...node.filter(isAddress)]),
    },
  };
}

/** A whole set. `existing` certificates are kept; what is missing is issued. */
export async function completePki(hosts: PkiHosts, context: IssuerContext, existing: Partial<ClusterPki> = {}): Promise<ClusterPki> {
  const ca = existing.ca ?? (await newCertificateAuthority('orrery-ca', context));
  const requests = leafRequests(hosts);
  const leaf = async (name: Exclude<PkiName, 'ca'>): Promise<KeyPair> => existing[name] ?? issueCertificate(ca, requests[name], context);
  const [apiserver, apiserverKubeletClient, admin, kubelet] = await Promise.all([
    leaf('apiserver'),
    leaf('apiserverKubeletClient'),
    leaf('admin'),
    leaf('kubelet'),
  ]);
  return { ca, apiserver, apiserverKubeletClient, admin, kubelet };
}

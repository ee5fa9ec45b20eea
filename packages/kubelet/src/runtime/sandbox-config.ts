import { readFile } from 'node:fs/promises';
import type { Pod } from '@orrery/api/core/v1';
import type { DNSConfig, PodSandboxConfig, PortMapping, UserNamespace } from '@orrery/cri';
import { isHostNetwork } from '../pod/container-spec.ts';
import { podNameLabel, podNamespaceLabel, podUidLabel } from '../pod/labels.ts';
import { podLimits, podRequests } from '../pod/resources.ts';
import type { Directories } from '../volumes/directories.ts';
import { plainResources } from './linux-resources.ts';
import { namespaceOptions, securityProfile } from './security-context.ts';

export interface ClusterDns {
  /** Addresses of the cluster's DNS servers; empty: pods use the node's. */
  readonly servers: readonly string[];
  /** As `cluster.local`. */
  readonly domain: string;
}

const HOSTNAME_MAX = 63;
const FQDN_MAX = 64; // Of the kernel's nodename, without the zero at its end.
const MAX_SEARCHES = 32;
const MAX_NAMESERVERS = 3; // What resolvers read. Source: validation.MaxDNSNameservers.

export interface PodNames {
  readonly hostname: string;
  /** Fully qualified, without the host; empty when the pod has no subdomain. */
  readonly domain: string;
}

/** Source: kubelet GeneratePodHostNameAndDomain. */
export function podNames(pod: Pod, clusterDomain: string): PodNames {
  const { spec, metadata } = pod;
  if (spec.hostnameOverride) return { hostname: spec.hostnameOverride, domain: '' };
  const hostname = spec.hostname || metadata.name.slice(0, HOSTNAME_MAX).replace(/[.-]+$/, '');
  const domain = spec.subdomain ? `${spec.subdomain}.${metadata.namespace ?? ''}.svc.${clusterDomain}` : '';
  return { hostname, domain };
}

/** What the kernel is told. @throws {Error} when the full name that the pod asks for is too long. Source: kubelet GetNodenameForKernel. */
function kernelHostname(pod: Pod, clusterDomain: string): string {
  const { hostname, domain } = podNames(pod, clusterDomain);
  if (pod.spec.setHostnameAsFQDN !== true || domain === '') return hostname;
  const full = `${hostname}.${domain}`;
  if (full.length <= FQDN_MAX) return full;
  const excess = `${full} is too long (${FQDN_MAX} characters is the max, ${full.length} characters requested)`;
  throw new Error(`failed to construct FQDN from pod hostname and cluster domain, FQDN ${excess}`);
}

async function nodeDns(path: string): Promise<DNSConfig> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const words = text.split('\n').map((line) => line.trim().split(/\s+/));
  const all = (keyword: string): string[] => words.filter(([first]) => first === keyword).flatMap((line) => line.slice(1));
  return { servers: all('nameserver'), searches: all('search').filter((search) => search !== '.'), options: all('options') };
}

/** Options of the later list win by name. */
function mergeOptions(base: readonly string[], extra: readonly string[]): readonly string[] {
  const byName = new Map([...base, ...extra].map((option) => [option.split(':')[0] ?? option, option]));
  return [...byName.values()];
}

/** Source: kubelet network/dns GetPodDNS. */
export async function podDns(pod: Pod, cluster: ClusterDns, resolvConf: string): Promise<DNSConfig> {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  const clusterFirst = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !isHostNetwork(pod));
  const node = policy === 'None' ? {} : await nodeDns(resolvConf);
  const domain = cluster.domain;
  const suffixes = [`${pod.metadata.namespace ?? ''}.svc.${domain}`, `svc.${domain}`, domain];
  const base: DNSConfig =
    clusterFirst && cluster.servers.length > 0
      ? { servers: cluster.servers, searches: [...suffixes, ...(node.searches ?? [])], options: ['ndots:5'] }
      : node;
  const own = pod.spec.dnsConfig;
  const options = (own?.options ?? []).map(({ name = '', value }) => (value === undefined || value === '' ? name : `${name}:${value}`));
  return {
    servers: [...new Set([...(base.servers ?? []), ...(own?.nameservers ?? [])])].slice(0, MAX_NAMESERVERS),
    searches: [...new Set([...(base.searches ?? []), ...(own?.searches ?? [])])].slice(0, MAX_SEARCHES),
    options: mergeOptions(base.options ?? [], options),
  };
}

function portMappings({ spec }: Pod): readonly PortMapping[] {
  const all = [...spec.containers, ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')];
  return all.flatMap(({ ports = [] }) =>
    ports.map(({ containerPort, hostPort, hostIP, protocol }) => ({
      containerPort,
      hostPort: hostPort ?? 0,
      hostIp: hostIP ?? '',
      protocol: protocol === 'UDP' ? ('UDP' as const) : protocol === 'SCTP' ? ('SCTP' as const) : ('TCP' as const),
    })),
  );
}

export interface SandboxConfigInput {
  readonly pod: Pod;
  readonly attempt: number;
  readonly directories: Directories;
  readonly dns: ClusterDns;
  readonly resolvConf: string;
  /** The pod's control group; empty: the runtime's own choice. */
  readonly cgroupParent: string;
  /** Ids of the pod's own. */
  readonly users: UserNamespace | undefined;
}

/** Source: kuberuntime generatePodSandboxConfig. */
export async function sandboxConfig({
  pod,
  attempt,
  directories,
  dns,
  resolvConf,
  cgroupParent,
  users,
}: SandboxConfigInput): Promise<PodSandboxConfig> {
  const { name, namespace = '', uid, labels, annotations } = pod.metadata;
  const security = pod.spec.securityContext ?? {};
  const groups = [...(security.fsGroup === undefined ? [] : [security.fsGroup]), ...(security.supplementalGroups ?? [])];
  const privileged = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((c) => c.securityContext?.privileged === true);
  const { overhead, ...withoutOverhead } = pod.spec;
  const sysctls = Object.fromEntries((security.sysctls ?? []).map((sysctl) => [sysctl.name.replaceAll('/', '.'), sysctl.value]));
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: isHostNetwork(pod) ? '' : kernelHostname(pod, dns.domain),
    logDirectory: directories.podLogs({ namespace, name, uid }),
    dnsConfig: await podDns(pod, dns, resolvConf),
    portMappings: portMappings(pod),
    labels: { ...labels, [podNameLabel]: name, [podNamespaceLabel]: namespace, [podUidLabel]: uid },
    annotations: annotations ?? {},
    linux: {
      cgroupParent,
      sysctls,
      resources: plainResources(podRequests({ ...pod, spec: withoutOverhead }), podLimits({ ...pod, spec: withoutOverhead })),
      ...(overhead === undefined ? {} : { overhead: plainResources(overhead, overhead) }),
      securityContext: {
        privileged,
        namespaceOptions: namespaceOptions(pod, users),
        seccomp: {
          profileType:
            security.seccompProfile === undefined
              ? 'RuntimeDefault'
              : (securityProfile(security.seccompProfile).profileType ?? 'RuntimeDefault'),
        },
        supplementalGroups: groups,
        ...(security.runAsUser === undefined ? {} : { runAsUser: { value: security.runAsUser } }),
        ...(security.runAsGroup === undefined ? {} : { runAsGroup: { value: security.runAsGroup } }),
      },
    },
  };
}

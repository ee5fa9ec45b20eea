import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { aborted, type Clock, type Random } from '@orrery/base';
import { type InformerFactory, newClient, newEventRecorder, type Transport } from '@orrery/client';
import { type ClusterDns, newClusterDns } from '@orrery/cluster-dns';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import { type KubeProxy, newKubeProxy } from '@orrery/kube-proxy';
import { type KubeletConfig, newDirectoryProvisioner, newKubelet, nodeAddresses } from '@orrery/kubelet';
import { newPolicyAgent, newVxlanAgent } from '@orrery/pod-network';
import type { NodeLimits } from '../cmd/node-limits.ts';
import type { AddressRanges } from './address-ranges.ts';
import type { NodeServices } from './drivers/driver.ts';

export interface NodeOptions extends Partial<NodeLimits> {
  readonly name: string;
  readonly runtime: Runtime;
  /** Pods' volumes and logs. */
  readonly directory: string;
  /** The node's InternalIP. */
  readonly address: string;
  /** Absent: pods cannot reach Services, and use the machine's DNS. */
  readonly network?: NodeNetwork;
  /** Where the kubelet limits pods; absent: nowhere. */
  readonly cgroupRoot?: string;
  /** Where pods are told that the API server is, when its Service does not work. */
  readonly apiServerAddress?: { readonly host: string; readonly port: number };
  /** Logs, exec and port-forward for the API server; absent: none. PEM texts. */
  readonly server?: { readonly key: string; readonly cert: string; readonly clientCa: string };
}

export interface NodeNetwork {
  readonly instanceId: string;
  readonly services: NodeServices;
  readonly ranges: AddressRanges;
  /** Pods of other nodes are reached by VXLAN, under this number (1 to 16777215). Absent: there are no other nodes. */
  readonly overlayId?: number;
}

/** What every part of a node shares. */
export interface NodeContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Run by the caller. */
  readonly informers: InformerFactory;
  transportFor(component: string): Transport;
}

export interface Runnable {
  run(signal: AbortSignal): Promise<void>;
}

const DNS_PORT = 53;

/** A node's parts. Its pods begin when its DNS server answers and Services are programmed. */
export function nodeParts(node: NodeOptions, context: NodeContext): readonly Runnable[] {
  if (node.network === undefined) return [kubeletOf(node, context)];
  const dns = dnsOf(node, node.network, context);
  const proxy = proxyOf(node, node.network, context);
  const kubelet: Runnable = {
    async run(signal) {
      const ready = Promise.all([dns.ready, proxy.waitForSync(signal)]);
      await Promise.race([ready, aborted(signal)]);
      if (!signal.aborted) await kubeletOf(node, context).run(signal);
    },
  };
  return [
    dns,
    proxy,
    ...overlayOf(node, node.network, context),
    ...policyAgentOf(node.network, context),
    provisionerOf(node, context),
    kubelet,
  ];
}

/** The number of a cluster's overlay: one that clusters on the same machines hardly share. */
export const overlayIdOf = (ca: string): number => 1 + (createHash('sha256').update(ca).digest().readUIntBE(0, 3) % 0xff_fff0);

function overlayOf({ name, address }: NodeOptions, network: NodeNetwork, context: NodeContext): readonly Runnable[] {
  const { clock, log, informers, transportFor } = context;
  const { overlayId, services, instanceId } = network;
  if (overlayId === undefined || services.bridge === undefined) return [];
  const client = newClient(transportFor(`system:node:${name}`));
  const common = { client, informers, clock, log: log.with({ component: 'overlay' }) };
  return [newVxlanAgent({ ...common, instanceId, nodeName: name, network: services.bridge, nodeAddress: address, vni: overlayId })];
}

/** Makes volumes of the default storage class on this node. */
function provisionerOf(node: NodeOptions, { clock, random, log, transportFor }: NodeContext): Runnable {
  const client = newClient(transportFor('system:persistent-volume-provisioner'));
  const { name } = node;
  return newDirectoryProvisioner({
    client,
    clock,
    random,
    log: log.with({ component: 'provisioner' }),
    events: newEventRecorder({ client, clock, random, component: 'orrery.dev/directory', host: name }),
    nodeName: name,
    hostName: name,
    directory: join(node.directory, 'volumes'),
  });
}

function policyAgentOf({ instanceId, services: { bridge } }: NodeNetwork, { informers, clock, log }: NodeContext): readonly Runnable[] {
  if (bridge === undefined) return [];
  return [newPolicyAgent({ informers, clock, log: log.with({ component: 'network-policy' }), instanceId, network: bridge })];
}

function kubeletOf(node: NodeOptions, { clock, random, log, transportFor }: NodeContext): Runnable {
  const client = newClient(transportFor(`system:node:${node.name}`));
  const { network, apiServerAddress, cgroupRoot, server, maxPods, podMaxPids } = node;
  const config: Partial<KubeletConfig> = {
    cgroupRoot,
    ...(maxPods === undefined ? {} : { podsMax: maxPods }),
    ...(podMaxPids === undefined ? {} : { podPidsLimit: podMaxPids }),
    ...(network === undefined ? { apiServerAddress } : { clusterDns: { servers: [network.ranges.dns], domain: 'cluster.local' } }),
  };
  return newKubelet({
    client,
    runtime: node.runtime,
    clock,
    random,
    log: log.with({ component: 'kubelet' }),
    events: newEventRecorder({ client, clock, random, component: 'kubelet', host: node.name }),
    nodeName: node.name,
    addresses: nodeAddresses(node.address, node.name),
    rootDirectory: join(node.directory, 'kubelet'),
    podLogsDirectory: join(node.directory, 'logs'),
    ...(server === undefined ? {} : { server: { ...server, host: node.address, port: 0 } }),
    config,
  });
}

function dnsOf({ name }: NodeOptions, { services, ranges }: NodeNetwork, context: NodeContext): ClusterDns {
  const { clock, random, log, informers, transportFor } = context;
  return newClusterDns({
    client: newClient(transportFor('system:cluster-dns')),
    informers,
    clock,
    random,
    log: log.with({ component: 'cluster-dns' }),
    listen: [{ address: services.address, port: DNS_PORT }],
    upstreams: { file: '/etc/resolv.conf' },
    ownRanges: [ranges.pods, ranges.services],
    nodeName: name,
    announce: { serviceIp: ranges.dns },
  });
}

function proxyOf({ name, address }: NodeOptions, { instanceId, services, ranges }: NodeNetwork, context: NodeContext): KubeProxy {
  const { clock, random, log, informers, transportFor } = context;
  const client = newClient(transportFor('system:kube-proxy'));
  const { mode, podInterface } = services;
  return newKubeProxy({
    informers,
    clock,
    random,
    log: log.with({ component: 'kube-proxy' }),
    nodeName: name,
    nodeAddresses: [...new Set([services.address, address])],
    instanceId,
    mode,
    clusterCidrs: mode === 'nftables' ? [ranges.pods] : [],
    serviceCidrs: [ranges.services],
    ...(podInterface === undefined ? {} : { podInterface }),
    events: newEventRecorder({ client, clock, random, component: 'kube-proxy', host: name }),
  });
}

import { nodes as nodeResource } from '@orrery/api';
import type { Node } from '@orrery/api/core/v1';
import { isNotFound, isStatusError } from '@orrery/apimachinery';
import { type ControllerDescriptor, newController, type Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { newCidrAllocator } from './cidr-allocator.ts';

const ATTEMPTS = 3; // As upstream's cidrUpdateRetries.

/** Gives every node its piece of the cluster's pod ranges: `spec.podCIDRs`, once for the life of the Node. */
export const nodeIpamController: ControllerDescriptor<ControllerContext> = {
  name: 'node-ipam-controller',
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics, config } = context;
    if (config.clusterCidrs.length === 0) return { run: async () => undefined };
    return newController({
      name: 'node-ipam-controller',
      clock,
      informerFactory: informers,
      primary: nodeResource,
      predicate: { onUpdate: (old, node) => cidrsOf(old).join() !== cidrsOf(node).join() || cidrsOf(node).length === 0 },
      reconciler: newReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

const cidrsOf = ({ spec }: Node): readonly string[] => {
  if (spec?.podCIDRs !== undefined && spec.podCIDRs.length > 0) return spec.podCIDRs;
  return spec?.podCIDR === undefined || spec.podCIDR === '' ? [] : [spec.podCIDR];
};

function newReconciler(context: ControllerContext): Reconciler {
  const { client, informers, config, log } = context;
  const nodes = informers.informer(nodeResource).lister;
  const recorder = context.recorderFor('cidrAllocator');
  const allocator = newCidrAllocator(config.clusterCidrs, { reserved: config.serviceCidrs });
  let seeded = false; // Whether what nodes had at the start is noted: nothing is given before.

  /** Source: RecordNodeStatusChange. */
  const tell = (node: Node, status: string): void =>
    recorder.event(node, 'Normal', status, `Node ${node.metadata.name} status is now: ${status}`);
  const seed = (): void => {
    for (const node of nodes.list()) if (cidrsOf(node).length > 0) allocator.occupy(node.metadata.name, cidrsOf(node));
    seeded = true;
  };
  const write = async (node: Node, cidrs: readonly string[], signal: AbortSignal): Promise<void> => {
    const body = { metadata: { uid: node.metadata.uid }, spec: { podCIDR: cidrs[0], podCIDRs: cidrs } };
    for (let attempt = 1; ; attempt += 1) {
      try {
        await client.patch(nodeResource, { name: node.metadata.name }, 'strategic', body, { signal });
        return;
      } catch (error) {
        if (isNotFound(error)) return; // Its deletion gives the piece back.
        if (attempt < ATTEMPTS && !signal.aborted) continue;
        tell(node, 'CIDRAssignmentFailed');
        if (!(isStatusError(error) && error.reason === 'ServerTimeout')) allocator.release(node.metadata.name); // After a timeout the write may have come through.
        throw error;
      }
    }
  };

  return {
    async reconcile({ name }, signal) {
      if (!seeded) seed();
      const node = nodes.get(name);
      if (node === undefined) {
        allocator.release(name);
        return {};
      }
      if (cidrsOf(node).length > 0) {
        allocator.occupy(name, cidrsOf(node));
        return {};
      }
      const cidrs = allocator.allocate(name);
      if (cidrs === undefined) {
        tell(node, 'CIDRNotAvailable');
        throw new Error(`no pod range is left for node ${name} in ${config.clusterCidrs.join()}`);
      }
      await write(node, cidrs, signal);
      log.debug('gave a node its pod ranges', { node: name, cidrs });
      return {};
    },
  };
}

import type { Pod } from '@orrery/api/core/v1';
import type { NodeInfo } from '../../cache/node-info.ts';
import type { ClusterView } from '../../cache/snapshot.ts';
import { newStateKey } from '../../framework/cycle-state.ts';
import { type Plugin, type PluginFactory, SCORE_MAX } from '../../framework/plugin.ts';
import { skip } from '../../framework/status.ts';

const MIB = 1024 * 1024;
/** Less than this on the node is not worth anything. */
const BYTES_MIN = 23 * MIB;
/** For each container: more than this is worth no more. */
const BYTES_MAX_PER_CONTAINER = 1000 * MIB;

const wanted = newStateKey<{ readonly images: readonly string[]; readonly cluster: ClusterView }>('ImageLocality');

/** Prefers nodes that hold large parts of the pod's images already; images that are nearly everywhere count more, so that one node is not flooded. */
export const newImageLocality: PluginFactory = (): Plugin => ({
  name: 'ImageLocality',
  eventsToRegister: () => [],
  preScore(state, { pod }, _nodes, cluster) {
    const images = imagesOf(pod);
    if (!images.some((image) => cluster.nodesWithImage(image) > 0)) return skip; // All nodes score 0.
    state.write(wanted, { images, cluster });
    return undefined;
  },
  score(state, _pod, node) {
    const found = state.read(wanted);
    return found === undefined ? 0 : scoreOf(found.images, node, found.cluster);
  },
});

function scoreOf(images: readonly string[], node: NodeInfo, cluster: ClusterView): number {
  let sum = 0;
  for (const image of images) {
    const size = node.images.get(image);
    if (size !== undefined) sum += Math.trunc(size * (cluster.nodesWithImage(image) / cluster.nodes.length));
  }
  const max = BYTES_MAX_PER_CONTAINER * images.length;
  const bounded = Math.min(Math.max(sum, BYTES_MIN), max);
  return Math.trunc((SCORE_MAX * (bounded - BYTES_MIN)) / (max - BYTES_MIN));
}

/** With `:latest` where neither tag nor digest is given, as nodes report them. */
function imagesOf({ spec }: Pod): readonly string[] {
  return [...(spec.initContainers ?? []), ...spec.containers].map(({ image = '' }) =>
    image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image,
  );
}

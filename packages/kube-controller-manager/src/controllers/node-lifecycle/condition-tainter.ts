import { nodes as nodeResource } from '@orrery/api';
import { isNotFound } from '@orrery/apimachinery';
import { type Controller, newController } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { conditionTaintChange, writeTaints } from './node-taints.ts';

/** Keeps new pods off nodes whose conditions speak against them, as soon as they do. */
export function newConditionTainter(context: ControllerContext): Controller {
  const { clock, informers, log, metrics } = context;
  const { lister } = informers.informer(nodeResource);
  return newController({
    name: 'node-lifecycle-controller-taints',
    clock,
    informerFactory: informers,
    primary: nodeResource,
    predicate: {
      onUpdate: (old, node) => old.spec !== node.spec || old.status?.conditions !== node.status?.conditions,
      onDelete: () => false,
    },
    workers: 8,
    reconciler: {
      async reconcile(key, signal) {
        const node = lister.get(key);
        if (node === undefined) return {};
        const change = conditionTaintChange(node);
        if (change.add.length === 0 && change.remove.length === 0) return {};
        try {
          await writeTaints(context, node, change, signal);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
        return {};
      },
    },
    log,
    ...(metrics === undefined ? {} : { metrics }),
  });
}

import { type ControllerDescriptor, runAll } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { newConditionTainter } from './condition-tainter.ts';
import { newNodeMonitor } from './node-monitor.ts';

/** Finds nodes that are lost, and marks nodes by what their conditions say. */
export const nodeLifecycleController: ControllerDescriptor<ControllerContext> = {
  name: 'node-lifecycle-controller',
  featureGates: [],
  create(context) {
    const monitor = newNodeMonitor(context, context.recorderFor('node-controller'));
    const tainter = newConditionTainter(context);
    return { run: (signal) => runAll([monitor, tainter], signal) };
  },
};

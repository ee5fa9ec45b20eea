export { type ClaimOptions, claimObjects, recheckDeletion } from './claim.ts';
export { type Controller, type ControllerOptions, newController, type Runnable } from './controller.ts';
export { type ControllerDescriptor, createControllers } from './descriptor.ts';
export { type Expectations, type ExpectationsOptions, type Expected, newExpectations } from './expectations.ts';
export { type LeaderGate, type ManagerOptions, newManager, runAll } from './manager.ts';
export { type ControllerMetrics, newControllerMetrics, type ReconcileOutcome } from './metrics.ts';
export {
  isNamespaceTerminating,
  newObjectControl,
  type ObjectControl,
  type ObjectControlOptions,
  podFromTemplate,
} from './object-control.ts';
export { isTerminalError, type Reconciler, type Result, terminalError } from './reconciler.ts';
export { type BatchOutcome, slowStartBatch } from './slow-start.ts';
export { type MapToKeys, ownedBy, type Predicate, type Source, type Watch, type WatchOptions, watchOf } from './sources.ts';

import type { AdmissionPlugin } from '@orrery/apiserver';
import type { AdmissionContext } from './context.ts';
import { newDefaultIngressClass } from './default-ingress-class/default-ingress-class.ts';
import { newDefaultStorageClass } from './default-storage-class/default-storage-class.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds/default-toleration-seconds.ts';
import { newLimitRanger } from './limit-ranger/limit-ranger.ts';
import { newNamespaceLifecycle } from './namespace-lifecycle/namespace-lifecycle.ts';
import { newPriorityPlugin } from './priority/priority.ts';
import { newRuntimeClassPlugin } from './runtime-class/runtime-class.ts';
import { newServiceAccountPlugin, type ServiceAccountOptions } from './service-account/service-account.ts';
import { newServiceAllocation, type ServiceAllocationOptions } from './service-allocation/service-allocation.ts';
import { storageProtection } from './storage-protection/storage-protection.ts';

/** Options of the plugins that have any. */
export interface AdmissionOptions {
  readonly serviceAccount?: ServiceAccountOptions;
  readonly services?: ServiceAllocationOptions;
}

/** The gates of every write, in upstream's order; what hands out addresses comes last. */
export function newAdmissionPlugins(context: AdmissionContext, options: AdmissionOptions = {}): readonly AdmissionPlugin[] {
  return [
    newNamespaceLifecycle(context),
    newLimitRanger(context),
    newServiceAccountPlugin(context, options.serviceAccount),
    defaultTolerationSeconds,
    newPriorityPlugin(context),
    newRuntimeClassPlugin(context),
    newDefaultIngressClass(context),
    newDefaultStorageClass(context),
    storageProtection,
    newServiceAllocation(context, options.services),
  ];
}

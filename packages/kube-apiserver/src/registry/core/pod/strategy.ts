import type { Pod } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import type { Strategy } from '@orrery/apiserver';
import { asDraft } from '../../defaulting.ts';
import { dnsLabelWarning } from '../../name-warning.ts';
import { defaultPod } from '../pod-spec/defaults.ts';
import { podSpecWarnings } from '../pod-spec/warnings.ts';
import { applyLabelKeys } from './label-keys.ts';
import { qosClassOf } from './qos.ts';
import { validatePodUpdate } from './validate-update.ts';
import { validatePodCreate } from './validation.ts';

export const podStrategy: Strategy<Pod> = {
  // Being bound to a node is not a change of what is wanted.
  generationOf: ({ spec }) => ({ ...spec, nodeName: undefined }),
  returnsDeletedObject: true,
  default: defaultPod,
  prepareForCreate(draft) {
    draft.status = { phase: 'Pending', qosClass: qosClassOf(draft.spec as Pod['spec']) };
    gate(draft);
    applyLabelKeys(draft);
  },
  validate: validatePodCreate,
  prepareForUpdate(draft, old) {
    draft.status = asDraft(old.status);
  },
  validateUpdate: validatePodUpdate,
  // None on update: pods are written often, and rarely by people.
  warnings: ({ metadata, spec }, old) =>
    old === undefined ? [...dnsLabelWarning(metadata.name, "in the Pod's hostname"), ...podSpecWarnings('', spec, metadata)] : [],
  gracePeriodSeconds,
};

function gate({ spec, status }: Draft<Pod>): void {
  if ((spec.schedulingGates ?? []).length === 0) return;
  status.conditions = [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    },
  ];
}

/** Only a pod that may be running somewhere waits for its node. Source: podStrategy.CheckGracefulDelete. */
function gracePeriodSeconds({ spec, status }: Pod, requested: number | undefined): number {
  if (!spec.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
  const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}

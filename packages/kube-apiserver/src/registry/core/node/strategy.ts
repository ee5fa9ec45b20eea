import type { Node } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import type { PartialUpdate, Strategy } from '@orrery/apiserver';
import { asDraft, ensure } from '../../defaulting.ts';
import { firstOfMany } from '../../first-of-many.ts';
import { validateNode, validateNodeStatusUpdate, validateNodeUpdate } from './validation.ts';

export const nodeStrategy: Strategy<Node> = {
  generation: 'none',
  keepsStatusOnCreate: true,
  default: defaultNode,
  prepareForUpdate(draft, old) {
    draft.status = asDraft(old.status);
  },
  validate: validateNode,
  validateUpdate: (next, old) => [...validateNode(next), ...validateNodeUpdate(next, old)],
  warnings: ({ spec }) =>
    spec?.configSource !== undefined
      ? ['spec.configSource: the spec.configSource field is removed in v1.24. This field will be ignored.']
      : [],
};

export const nodeStatus: PartialUpdate<Node> = { default: defaultNode, validateUpdate: validateNodeStatusUpdate };

/** Allocatable is the capacity where the node says nothing else; the first range of pod addresses is told twice. */
function defaultNode(draft: Draft<Node>): void {
  const spec = ensure(draft, 'spec');
  const same = (cidr: string): string => cidr;
  const cidrs = firstOfMany(spec.podCIDR, spec.podCIDRs, same, same);
  if (cidrs !== undefined) draft.spec = { ...spec, podCIDR: cidrs.one, podCIDRs: cidrs.many }; // A copy: an update of the status shares the stored spec.
  const status = ensure(draft, 'status');
  if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
}

import type { Binding, Pod } from '@orrery/api/core/v1';
import { type Draft, type FieldError, newBadRequest, newConflict, newInvalid, notSupported, required } from '@orrery/apimachinery';
import type { SubresourceHandler } from '@orrery/apiserver';

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as const;

/** `pods/binding`: puts a pod on a node, once. Source: BindingREST. */
export const podBinding: SubresourceHandler = {
  verbs: ['create'],
  async handle(call, context) {
    const binding = context.decodeBody('io.k8s.api.core.v1.Binding') as unknown as Draft<Binding>;
    const name = binding.metadata?.name ?? '';
    if (name !== '' && name !== call.name) throw newBadRequest('name in URL does not match name in Binding object');
    const errors = validateBinding(binding);
    if (errors.length > 0) throw newInvalid({ group: '', kind: 'Binding' }, call.name ?? '', errors);
    await context.admit(binding, undefined);
    await context.update((draft, old) => assign(draft as Draft<Pod>, old as Pod, binding, context.now));
    return { type: 'value', code: 201, value: success, warnings: [] };
  },
};

function validateBinding({ target }: Draft<Binding>): FieldError[] {
  const kind = target?.kind ?? '';
  return [
    ...(kind !== '' && kind !== 'Node' ? [notSupported('target.kind', kind, ['Node', '<empty>'])] : []),
    ...(target?.name ? [] : [required('target.name')]),
  ];
}

/** @throws StatusError Conflict when the pod is going, gated, or on a node already. */
function assign(pod: Draft<Pod>, old: Pod, binding: Draft<Binding>, now: string): void {
  const { name, uid } = old.metadata;
  const conflict = (detail: string): Error => newConflict({ group: '', resource: 'pods/binding' }, name, detail);
  const wanted = binding.metadata?.uid ?? '';
  if (wanted !== '' && wanted !== uid) {
    throw conflict(`Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`);
  }
  if (old.metadata.deletionTimestamp !== undefined) throw conflict(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (old.spec.nodeName) throw conflict(`pod ${name} is already assigned to node ${JSON.stringify(old.spec.nodeName)}`);
  if ((old.spec.schedulingGates ?? []).length > 0) throw conflict(`pod ${name} has non-empty .spec.schedulingGates`);
  pod.spec.nodeName = binding.target.name ?? '';
  const { annotations, labels } = binding.metadata ?? {};
  if (annotations !== undefined) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
  if (labels !== undefined) pod.metadata.labels = { ...pod.metadata.labels, ...labels };
  setScheduled(pod, now);
}

function setScheduled(pod: Draft<Pod>, now: string): void {
  pod.status ??= {};
  const conditions = pod.status.conditions ?? [];
  const before = conditions.find(({ type }) => type === 'PodScheduled');
  const since = before?.status === 'True' ? (before.lastTransitionTime ?? now) : now;
  const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: since };
  pod.status.conditions =
    before === undefined ? [...conditions, scheduled] : conditions.map((condition) => (condition === before ? scheduled : condition));
}

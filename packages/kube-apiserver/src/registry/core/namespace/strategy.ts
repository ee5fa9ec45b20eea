import type { Namespace } from '@orrery/api/core/v1';
import { type Draft, type FieldError, fieldPath, invalid, isQualifiedName, nameIsDnsLabel } from '@orrery/apimachinery';
import type { PartialUpdate, Strategy } from '@orrery/apiserver';
import { asDraft, ensure } from '../../defaulting.ts';
import { check, each } from '../../validate.ts';

/** Held by the namespace controller until everything in the namespace is gone. */
export const KUBERNETES_FINALIZER = 'kubernetes';
/** Every namespace carries its own name under this label, so that selectors can name it. */
const NAME_LABEL = 'kubernetes.io/metadata.name';
const HELD =
  'The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.';

export const namespaceStrategy: Strategy<Namespace> = {
  generation: 'none',
  default: defaultNamespace,
  prepareForCreate(draft) {
    draft.status = { phase: 'Active' };
    const finalizers = draft.spec?.finalizers ?? [];
    if (!finalizers.includes(KUBERNETES_FINALIZER)) draft.spec = { ...draft.spec, finalizers: [...finalizers, KUBERNETES_FINALIZER] };
    labelWithName(draft); // Again: a generated name was not known when defaults were set.
  },
  prepareForUpdate(draft, old) {
    draft.spec = { ...draft.spec };
    if (old.spec?.finalizers === undefined) delete draft.spec.finalizers;
    else draft.spec.finalizers = [...old.spec.finalizers];
  },
  validate: ({ spec }) => validateFinalizers(spec?.finalizers),
  validateUpdate: () => [],
  validateName: nameIsDnsLabel,
  prepareForDelete(draft) {
    draft.status = { ...draft.status, phase: 'Terminating' };
  },
  deletionHeldBy: ({ spec }) => ((spec?.finalizers ?? []).length > 0 ? HELD : undefined),
};

function defaultNamespace(draft: Draft<Namespace>): void {
  ensure(draft, 'spec');
  labelWithName(draft);
  const status = ensure(draft, 'status');
  if (!status.phase) status.phase = 'Active';
}

function labelWithName({ metadata }: Draft<Namespace>): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name };
}

function validateFinalizers(finalizers: readonly string[] | undefined): FieldError[] {
  return each('spec.finalizers', finalizers, (name) => validateFinalizer(name));
}

function validateFinalizer(name: string): FieldError[] {
  const errors = check('spec.finalizers', name, isQualifiedName);
  if (errors.length > 0 || name.includes('/') || name === KUBERNETES_FINALIZER) return errors;
  return [invalid('spec.finalizers', name, 'name is neither a standard finalizer name nor is it fully qualified')];
}

export const namespaceStatus: PartialUpdate<Namespace> = {
  default: defaultNamespace,
  validateUpdate({ metadata, status }) {
    const phase = status?.phase ?? '';
    const deleting = metadata.deletionTimestamp !== undefined;
    if (!deleting && phase !== 'Active') return [invalid('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")];
    if (deleting && phase !== 'Terminating') {
      return [invalid('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
    }
    return [];
  },
};

/** `/finalize`: changes `spec.finalizers` alone. A namespace that is being deleted and has none left is gone. */
export const namespaceFinalize: PartialUpdate<Namespace> = {
  verbs: ['update'],
  prepareForUpdate(draft, old) {
    draft.status = asDraft(old.status);
  },
  validateUpdate: ({ spec }) =>
    each('spec.finalizers', spec?.finalizers, (name, _field, index) =>
      validateFinalizer(name).map((error) => ({ ...error, field: fieldPath('spec', 'finalizers', index) })),
    ),
};

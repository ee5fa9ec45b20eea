import { type FieldError, invalid, type KubeObject } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';

/** Names without a domain that Kubernetes itself uses. Source: core helper.IsStandardFinalizerName. */
const standardNames = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

function finalizerErrors(finalizers: readonly string[] = []): FieldError[] {
  return finalizers.flatMap((name, index) =>
    name.includes('/') || standardNames.has(name)
      ? []
      : [invalid(`metadata.finalizers[${index}]`, name, 'name is neither a standard finalizer name nor is it fully qualified')],
  );
}

/** The built-in kinds' own rule, beside the generic server's: a finalizer is a standard one or has a domain. Source: core ValidateObjectMeta. */
export function withFinalizerNames(definition: ResourceDefinition): ResourceDefinition {
  const { strategy } = definition;
  const strict: Strategy<KubeObject> = {
    ...strategy,
    validate: (object, context) => [...finalizerErrors(object.metadata.finalizers), ...(strategy.validate?.(object, context) ?? [])],
    validateUpdate: (object, old, context) => [
      ...finalizerErrors(object.metadata.finalizers),
      ...(strategy.validateUpdate?.(object, old, context) ?? []),
    ],
  };
  return { ...definition, strategy: strict };
}

import { type Draft, type KubeObject, newForbidden, StatusError } from '@orrery/apimachinery';
import type { AdmissionAttributes } from '@orrery/apiserver';

/** 403 about the object of a request; one without a name yet goes by its `generateName`. Source: admission.NewForbidden. */
export function refusal(
  attributes: AdmissionAttributes,
  object: KubeObject | Draft<KubeObject> | undefined,
  detail: string,
  cause?: { readonly reason: string; readonly message: string; readonly field: string },
): StatusError {
  const { group, resource } = attributes.definition;
  const name = attributes.name || object?.metadata.name || object?.metadata.generateName || '';
  const error = newForbidden({ group, resource }, name, detail);
  if (cause === undefined) return error;
  return new StatusError('Forbidden', error.message, { ...error.details, causes: [cause] });
}

/** True for a write of a whole object of the core group's `resource`. */
export function isFor({ definition, subresource }: AdmissionAttributes, resource: string): boolean {
  return definition.group === '' && definition.resource === resource && subresource === '';
}

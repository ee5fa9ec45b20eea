import { type FieldError, forbidden, newInvalid, notSupported, required, validateFieldManager } from '@orrery/apimachinery';
import type { ApiCall } from '../handler.ts';

const kinds: Readonly<Record<string, string>> = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' };
const directives = ['Ignore', 'Warn', 'Strict', ''];

/** @throws StatusError Invalid. Source: ValidateCreateOptions, ValidateUpdateOptions, ValidatePatchOptions. */
export function checkWriteOptions({ verb, patchType, options = {} }: ApiCall): void {
  const { fieldManager = '', fieldValidation, force } = options;
  const errors: FieldError[] = [];
  if (verb === 'patch' && patchType !== 'apply' && force !== undefined) {
    errors.push(forbidden('force', 'may not be specified for non-apply patch'));
  }
  if (verb === 'patch' && patchType === 'apply' && fieldManager === '')
    errors.push(required('fieldManager', 'is required for apply patch'));
  errors.push(...validateFieldManager(fieldManager, 'fieldManager'));
  if (fieldValidation !== undefined && !directives.includes(fieldValidation)) {
    errors.push(notSupported('fieldValidation', fieldValidation, directives));
  }
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', kind: kinds[verb] ?? 'UpdateOptions' }, '', errors);
}

import type { Container, EnvFromSource, EnvVar, EnvVarSource } from '@orrery/api/core/v1';
import { type FieldError, invalid, isConfigMapKey, isRelaxedEnvVarName, nameIsDnsSubdomain, required } from '@orrery/apimachinery';
import { check, each } from '../../validate.ts';
import { validateVolumePath } from './paths.ts';
import { validateFieldRef, validateResourceFieldRef } from './validate-downward.ts';

const envFields = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]);

/** Source: ValidateEnv and ValidateEnvFrom. */
export function validateEnvironment({ env, envFrom }: Pick<Container, 'env' | 'envFrom'>, field: string): FieldError[] {
  return [
    ...each(`${field}.env`, env, (variable, path) => [
      ...(variable.name ? check(`${path}.name`, variable.name, isRelaxedEnvVarName) : [required(`${path}.name`)]),
      ...validateSource(variable, `${path}.valueFrom`),
    ]),
    ...each(`${field}.envFrom`, envFrom, (source, path) => validateEnvFrom(source, `${field}.envFrom`, path)),
  ];
}

function validateSource({ valueFrom, value = '' }: EnvVar, field: string): FieldError[] {
  if (valueFrom === undefined || valueFrom === null) return [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  const errors: FieldError[] = [];
  if (fieldRef) errors.push(...validateFieldRef(fieldRef, envFields, `${field}.fieldRef`));
  if (resourceFieldRef) errors.push(...validateResourceFieldRef(resourceFieldRef, `${field}.resourceFieldRef`, false));
  if (configMapKeyRef) errors.push(...validateKeyRef(configMapKeyRef, `${field}.configMapKeyRef`));
  if (secretKeyRef) errors.push(...validateKeyRef(secretKeyRef, `${field}.secretKeyRef`));
  if (fileKeyRef) errors.push(...validateFileKeyRef(fileKeyRef, `${field}.fileKeyRef`));
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (sources === 0) {
    errors.push(
      invalid(field, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'),
    );
  } else if (value !== '') errors.push(invalid(field, '', 'may not be specified when `value` is not empty'));
  else if (sources > 1) errors.push(invalid(field, '', 'may not have more than one field specified at a time'));
  return errors;
}

function validateKeyRef({ name = '', key = '' }: { readonly name?: string; readonly key: string }, field: string): FieldError[] {
  return [
    ...nameIsDnsSubdomain(name, false).map((reason) => invalid(`${field}.name`, name, reason)),
    ...(key === '' ? [required(`${field}.key`)] : check(`${field}.key`, key, isConfigMapKey)),
  ];
}

function validateFileKeyRef(
  { volumeName = '', path = '', key = '' }: NonNullable<EnvVarSource['fileKeyRef']>,
  field: string,
): FieldError[] {
  return [
    ...(volumeName === '' ? [required(`${field}.volumeName`)] : []),
    ...(path === '' ? [required(`${field}.path`)] : validateVolumePath(path, `${field}.path`)),
    ...(key === '' ? [required(`${field}.key`)] : check(`${field}.key`, key, isRelaxedEnvVarName)),
  ];
}

function validateEnvFrom({ prefix = '', configMapRef, secretRef }: EnvFromSource, list: string, field: string): FieldError[] {
  const errors = prefix === '' ? [] : check(`${field}.prefix`, prefix, isRelaxedEnvVarName);
  if (configMapRef) errors.push(...validateName(configMapRef.name, `${field}.configMapRef.name`));
  if (secretRef) errors.push(...validateName(secretRef.name, `${field}.secretRef.name`));
  if (!configMapRef && !secretRef) errors.push(invalid(list, '', 'must specify one of: `configMapRef` or `secretRef`'));
  else if (configMapRef && secretRef) errors.push(invalid(list, '', 'may not have more than one field specified at a time'));
  return errors;
}

function validateName(name: string | undefined, field: string): FieldError[] {
  if (name === undefined || name === '') return [required(field)];
  return nameIsDnsSubdomain(name, true).map((reason) => invalid(field, name, reason));
}

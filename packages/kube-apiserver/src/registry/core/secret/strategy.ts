import type { Secret } from '@orrery/api/core/v1';
import { type Draft, type FieldError, fieldPath, invalid, required, tooLong } from '@orrery/apimachinery';
import type { Strategy } from '@orrery/apiserver';
import { fill } from '../../defaulting.ts';
import { immutable } from '../../validate.ts';
import { base64Bytes, DATA_BYTES_MAX, validateDataKeys, validateImmutableData } from '../data-keys.ts';

export const secretStrategy: Strategy<Secret> = {
  default: defaultSecret,
  validate: validateSecret,
  validateUpdate: (next, old) => [
    ...immutable('type', next.type, old.type),
    ...validateImmutableData(next, old, ['data']),
    ...validateSecret(next),
  ],
};

/** `stringData` is write-only: it lands in `data`, over what is there. */
function defaultSecret(draft: Draft<Secret>): void {
  const { stringData } = draft;
  if (stringData !== undefined && stringData !== null) {
    const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')] as const);
    if (encoded.length > 0) draft.data = { ...draft.data, ...Object.fromEntries(encoded) };
    delete draft.stringData;
  }
  fill(draft, 'type', 'Opaque');
}

const SSH_KEY = 'ssh-privatekey';
/** Keys that a type of secret has to have. Source: ValidateSecret. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': [SSH_KEY],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};
const jsonKeys = new Set(['.dockercfg', '.dockerconfigjson']);
const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

function validateSecret(secret: Secret): FieldError[] {
  const data = secret.data ?? {};
  const bytes = Object.values(data).reduce((sum, value) => sum + base64Bytes(value), 0);
  return [
    ...validateDataKeys('data', data),
    ...(bytes > DATA_BYTES_MAX ? [tooLong('data', DATA_BYTES_MAX)] : []),
    ...validateType(secret, data),
  ];
}

function validateType({ type = '', metadata }: Secret, data: Readonly<Record<string, string>>): FieldError[] {
  if (type === 'kubernetes.io/service-account-token') {
    const name = metadata.annotations?.[SERVICE_ACCOUNT_NAME] ?? '';
    return name === '' ? [required(fieldPath('metadata.annotations', { key: SERVICE_ACCOUNT_NAME }))] : [];
  }
  if (type === 'kubernetes.io/basic-auth') {
    if ('username' in data || 'password' in data) return [];
    return [required(fieldPath('data', { key: 'username' })), required(fieldPath('data', { key: 'password' }))];
  }
  return (requiredKeys[type] ?? []).flatMap((key) => validateRequiredKey(key, data[key]));
}

function validateRequiredKey(key: string, value: string | undefined): FieldError[] {
  const field = fieldPath('data', { key });
  if (value === undefined || (key === SSH_KEY && value === '')) return [required(field)];
  if (!jsonKeys.has(key)) return [];
  try {
    JSON.parse(Buffer.from(value, 'base64').toString());
    return [];
  } catch (err) {
    return [invalid(field, '<secret contents redacted>', err instanceof Error ? err.message : String(err))];
  }
}

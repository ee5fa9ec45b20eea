import type { ConfigMap } from '@orrery/api/core/v1';
import { type FieldError, fieldPath, invalid, tooLong } from '@orrery/apimachinery';
import type { Strategy } from '@orrery/apiserver';
import { base64Bytes, DATA_BYTES_MAX, validateDataKeys, validateImmutableData } from '../data-keys.ts';

export const configMapStrategy: Strategy<ConfigMap> = {
  validate: validateConfigMap,
  validateUpdate: (next, old) => [...validateImmutableData(next, old, ['data', 'binaryData']), ...validateConfigMap(next)],
};

function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const both = Object.keys(data)
    .filter((key) => Object.hasOwn(binaryData, key))
    .map((key) => invalid(fieldPath('data', { key }), key, 'duplicate of key present in binaryData'));
  const bytes =
    Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0) +
    Object.values(binaryData).reduce((sum, value) => sum + base64Bytes(value), 0);
  return [
    ...validateDataKeys('data', data),
    ...both,
    ...validateDataKeys('binaryData', binaryData),
    ...(bytes > DATA_BYTES_MAX ? [tooLong('[]', DATA_BYTES_MAX)] : []),
  ];
}

import type { Event } from '@orrery/api/core/v1';
import { type FieldError, invalid, isDns1123Subdomain, isQualifiedName, required } from '@orrery/apimachinery';
import { check } from '../../validate.ts';

/** Bytes of action, reason and reportingInstance. */
const WORD_BYTES_MAX = 128;
/** Bytes of a message that comes with an eventTime. */
const NOTE_BYTES_MAX = 1024;

const isNewStyle = ({ eventTime }: Event): boolean => eventTime !== undefined && eventTime !== null && eventTime !== '';
const mismatch = (event: Event): FieldError =>
  invalid('involvedObject.namespace', event.involvedObject?.namespace ?? '', 'does not match event.namespace');

/** What holds for every event, in either version. Source: legacyValidateEvent. */
export function validateLegacyEvent(event: Event): FieldError[] {
  const namespace = event.metadata.namespace ?? '';
  return [
    ...(isNewStyle(event) ? validateNewStyle(event, namespace) : validateNamespace(event, namespace)),
    ...check('namespace', namespace, isDns1123Subdomain),
  ];
}

function validateNamespace(event: Event, namespace: string): FieldError[] {
  const involved = event.involvedObject?.namespace ?? '';
  if (involved === '') return namespace === '' || namespace === 'default' ? [] : [mismatch(event)];
  return involved === namespace ? [] : [mismatch(event)];
}

function validateNewStyle(event: Event, namespace: string): FieldError[] {
  const errors: FieldError[] = [];
  const involved = event.involvedObject?.namespace ?? '';
  if (involved === '' && namespace !== 'default' && namespace !== 'kube-system') errors.push(mismatch(event));
  const controller = event.reportingComponent ?? '';
  if (controller === '') errors.push(required('reportingController'));
  errors.push(...check('reportingController', controller, isQualifiedName));
  errors.push(...word('reportingInstance', event.reportingInstance), ...word('action', event.action), ...word('reason', event.reason));
  errors.push(...limited('message', event.message ?? '', NOTE_BYTES_MAX));
  return errors;
}

const word = (field: string, value = ''): FieldError[] => (value === '' ? [required(field)] : limited(field, value, WORD_BYTES_MAX));
const limited = (field: string, value: string, bytesMax: number): FieldError[] =>
  Buffer.byteLength(value) > bytesMax ? [invalid(field, '', `can have at most ${bytesMax} characters`)] : [];

export const validateLegacyEventUpdate = (next: Event): FieldError[] => validateLegacyEvent(next);

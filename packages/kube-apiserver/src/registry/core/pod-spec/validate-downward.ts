import type { ObjectFieldSelector, ResourceFieldSelector } from '@orrery/api/core/v1';
import { canonicalQuantity, type FieldError, invalid, isQualifiedName, notSupported, required } from '@orrery/apimachinery';
import { check } from '../../validate.ts';

const containerResources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const hugePages = ['limits.hugepages-', 'requests.hugepages-'];
const bytesDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];
/** Every field that the downward API knows, whether or not a place may use it. */
const knownFields = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]);
const subscripted = /^(.+)\['(.*)'\]$/;

/** A field of the pod, as `metadata.name` or `metadata.labels['app']`. Source: validateObjectFieldSelector. */
export function validateFieldRef(
  { apiVersion = '', fieldPath = '' }: ObjectFieldSelector,
  allowed: ReadonlySet<string>,
  field: string,
): FieldError[] {
  if (apiVersion === '') return [required(`${field}.apiVersion`)];
  if (fieldPath === '') return [required(`${field}.fieldPath`)];
  const match = subscripted.exec(fieldPath);
  const path = match?.[1] ?? fieldPath;
  if (apiVersion !== 'v1') {
    return [invalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`)];
  }
  if (!knownFields.has(path) && path !== 'spec.host') {
    return [invalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: field label not supported: ${path}`)];
  }
  if (match === null) return allowed.has(path) ? [] : [notSupported(`${field}.fieldPath`, path, [...allowed])];
  const key = match[2] ?? '';
  if (path === 'metadata.annotations') return check(field, key.toLowerCase(), isQualifiedName);
  if (path === 'metadata.labels') return check(field, key, isQualifiedName);
  return [invalid(field, path, 'does not support subscript')];
}

/** An amount of a container. Source: validateContainerResourceFieldSelector. @param inVolume - Volumes have to name the container. */
export function validateResourceFieldRef(ref: ResourceFieldSelector, field: string, inVolume: boolean): FieldError[] {
  const { containerName = '', resource = '', divisor } = ref;
  const errors: FieldError[] = [];
  if (inVolume && containerName === '') errors.push(required(`${field}.containerName`));
  else if (resource === '') errors.push(required(`${field}.resource`));
  else if (!containerResources.includes(resource) && !hugePages.some((prefix) => resource.startsWith(prefix))) {
    errors.push(notSupported(`${field}.resource`, resource, containerResources));
  }
  return [...errors, ...validateDivisor(resource, divisor, `${field}.divisor`)];
}

function validateDivisor(resource: string, divisor: string | undefined, field: string): FieldError[] {
  const text = divisor === undefined ? '0' : canonicalQuantity(divisor);
  if (text === '0') return [];
  if (resource.endsWith('.cpu')) {
    return text === '1' || text === '1m'
      ? []
      : [invalid(field, resource, "only divisor's values 1m and 1 are supported with the cpu resource")];
  }
  const kind = resource.endsWith('.memory')
    ? 'memory'
    : resource.endsWith('.ephemeral-storage')
      ? 'local ephemeral storage'
      : resource.includes('.hugepages-')
        ? 'hugepages'
        : undefined;
  if (kind === undefined || bytesDivisors.includes(text)) return [];
  return [invalid(field, resource, `only divisor's values ${bytesDivisors.join(', ')} are supported with the ${kind} resource`)];
}

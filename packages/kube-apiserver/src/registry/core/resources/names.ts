import { isQualifiedName } from '@orrery/apimachinery';

const HUGE_PAGES = 'hugepages-';
const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);
const countedObjects = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const standardResources = new Set([
  ...containerResources,
  ...['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  ...countedObjects,
  'storage',
  'requests.storage',
]);
const integerResources = new Set(countedObjects);

export const isHugePages = (name: string): boolean => name.startsWith(HUGE_PAGES);
/** Without a prefix, or with one of kubernetes.io. */
export const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
/** A resource that nodes advertise under somebody's own domain. Source: helper.IsExtendedResourceName. */
export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0;
/** True where the sum of limits may exceed what a node has. */
export const mayOvercommit = (name: string): boolean => isNative(name) && !isHugePages(name);
export const isInteger = (name: string): boolean => integerResources.has(name) || isExtended(name);
export const isStandardForContainers = (name: string): boolean => containerResources.has(name) || isHugePages(name);
export const isStandard = (name: string): boolean =>
  standardResources.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');

import type { Container, EphemeralContainer, PodSpec } from '@orrery/api/core/v1';
import { type FieldError, forbidden, notSupported, required } from '@orrery/apimachinery';
import { each } from '../../validate.ts';

const notOnWindows = 'cannot be set for a windows pod';
const linuxPodFields = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const;
const linuxPodContext = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const;
const linuxContainerContext = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

/** What the other operating system does not know may not be set once `spec.os` names one. Source: validateOS. */
export function validateOs(spec: PodSpec, field: string): FieldError[] {
  if (spec.os === undefined || spec.os === null) return [];
  const name = spec.os.name ?? '';
  if (name === '') return [required(`${field}.os.name`)];
  if (name === 'linux') return forbidWindows(spec, field);
  if (name === 'windows') return forbidLinux(spec, field);
  return [notSupported(`${field}.os`, name, ['linux', 'windows'])];
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);

function eachContainer(
  spec: PodSpec,
  field: string,
  rule: (container: Container | EphemeralContainer, path: string) => FieldError[],
): FieldError[] {
  return [
    ...each(`${field}.initContainers`, spec.initContainers, rule),
    ...each(`${field}.containers`, spec.containers, rule),
    ...each(`${field}.ephemeralContainers`, spec.ephemeralContainers, rule),
  ];
}

function forbidWindows(spec: PodSpec, field: string): FieldError[] {
  const reason = 'windows options cannot be set for a linux pod';
  return [
    ...(isSet(spec.securityContext?.windowsOptions) ? [forbidden(`${field}.securityContext.windowsOptions`, reason)] : []),
    ...eachContainer(spec, field, ({ securityContext }, path) =>
      isSet(securityContext?.windowsOptions) ? [forbidden(`${path}.securityContext.windowsOptions`, reason)] : [],
    ),
  ];
}

function forbidLinux(spec: PodSpec, field: string): FieldError[] {
  return [
    ...linuxPodContext
      .filter((key) => isSet(spec.securityContext?.[key]))
      .map((key) => forbidden(`${field}.securityContext.${key}`, notOnWindows)),
    ...linuxPodFields.filter((key) => isSet(spec[key]) && spec[key] !== false).map((key) => forbidden(`${field}.${key}`, notOnWindows)),
    ...eachContainer(spec, field, ({ securityContext }, path) =>
      linuxContainerContext
        .filter((key) => isSet(securityContext?.[key]))
        .map((key) => forbidden(`${path}.securityContext.${key}`, notOnWindows)),
    ),
  ];
}

import type { AppArmorProfile, PodSecurityContext, SeccompProfile, SecurityContext } from '@orrery/api/core/v1';
import { duplicate, type FieldError, invalid, isGroupId, isUserId, notSupported, required, tooLong } from '@orrery/apimachinery';
import { each } from '../../validate.ts';
import { validateDescendingPath } from './paths.ts';
import type { PodRules } from './rules.ts';

/** PATH_MAX without its final zero. */
const APPARMOR_PROFILE_BYTES_MAX = 4095;
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const userId = (field: string, id: number | undefined): FieldError[] =>
  id === undefined ? [] : isUserId(id).map((reason) => invalid(field, id, reason));
const groupId = (field: string, id: number | undefined): FieldError[] =>
  id === undefined ? [] : isGroupId(id).map((reason) => invalid(field, id, reason));
const optional = (field: string, value: string | undefined, supported: readonly string[]): FieldError[] =>
  value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];

/** Source: ValidateSecurityContext. */
export function validateContainerSecurity(context: SecurityContext | undefined, { hostUsers }: PodRules, field: string): FieldError[] {
  if (context === undefined || context === null) return [];
  const errors = [
    ...userId(`${field}.runAsUser`, context.runAsUser),
    ...groupId(`${field}.runAsGroup`, context.runAsGroup),
    ...optional(`${field}.procMount`, context.procMount, ['Default', 'Unmasked']),
  ];
  if (hostUsers && context.procMount === 'Unmasked') {
    errors.push(invalid(`${field}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  return [
    ...errors,
    ...validateEscalation(context, field),
    ...validateSeccomp(context.seccompProfile, `${field}.seccompProfile`),
    ...validateAppArmor(context.appArmorProfile, `${field}.appArmorProfile`),
  ];
}

function validateEscalation(context: SecurityContext, field: string): FieldError[] {
  if (context.allowPrivilegeEscalation !== false) return [];
  const errors: FieldError[] = [];
  if (context.privileged === true) {
    errors.push(invalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
  }
  if ((context.capabilities?.add ?? []).includes('CAP_SYS_ADMIN')) {
    errors.push(invalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
  }
  return errors;
}

function validateSeccomp(profile: SeccompProfile | undefined, field: string): FieldError[] {
  if (profile === undefined || profile === null) return [];
  const { type = '', localhostProfile } = profile;
  const errors: FieldError[] = [];
  if (type === '') errors.push(required(`${field}.type`, 'type is required when seccompProfile is set'));
  else errors.push(...optional(`${field}.type`, type, profileTypes));
  if (type === 'Localhost') {
    if (localhostProfile === undefined) errors.push(required(`${field}.localhostProfile`, 'must be set when seccomp type is Localhost'));
    else errors.push(...validateDescendingPath(localhostProfile, `${field}.localhostProfile`));
  } else if (localhostProfile !== undefined) {
    errors.push(invalid(`${field}.localhostProfile`, profile, 'can only be set when seccomp type is Localhost'));
  }
  return errors;
}

function validateAppArmor(profile: AppArmorProfile | undefined, field: string): FieldError[] {
  if (profile === undefined || profile === null) return [];
  const { type = '', localhostProfile } = profile;
  if (type === '') return [required(`${field}.type`, 'type is required when appArmorProfile is set')];
  if (!profileTypes.includes(type)) return [notSupported(`${field}.type`, type, profileTypes)];
  const path = `${field}.localhostProfile`;
  if (type !== 'Localhost') {
    return localhostProfile === undefined ? [] : [invalid(path, localhostProfile, 'can only be set when AppArmor type is Localhost')];
  }
  if (localhostProfile === undefined || localhostProfile === '') return [required(path, 'must be set when AppArmor type is Localhost')];
  const errors: FieldError[] = [];
  if (localhostProfile !== localhostProfile.trim()) errors.push(invalid(path, localhostProfile, 'must not be padded with whitespace'));
  if (Buffer.byteLength(localhostProfile) > APPARMOR_PROFILE_BYTES_MAX) errors.push(tooLong(path, APPARMOR_PROFILE_BYTES_MAX));
  return errors;
}

/** Source: validatePodSpecSecurityContext. */
export function validatePodSecurity({ spec }: PodRules, field: string): FieldError[] {
  const context = spec.securityContext;
  if (context === undefined || context === null) return [];
  const errors = [
    ...groupId(`${field}.fsGroup`, context.fsGroup),
    ...userId(`${field}.runAsUser`, context.runAsUser),
    ...groupId(`${field}.runAsGroup`, context.runAsGroup),
    ...each(`${field}.supplementalGroups`, context.supplementalGroups, (id, path) => groupId(path, id)),
  ];
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    errors.push(invalid(`${field}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  }
  return [
    ...errors,
    ...validateSysctls(context, spec, `${field}.sysctls`),
    ...optional(`${field}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']),
    ...validateSeccomp(context.seccompProfile, `${field}.seccompProfile`),
    ...validateAppArmor(context.appArmorProfile, `${field}.appArmorProfile`),
    ...optional(`${field}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict']),
    ...optional(`${field}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ['MountOption', 'Recursive']),
  ];
}

const SYSCTL_BYTES_MAX = 253;
const segment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const sysctlPattern = `^(${segment}[\\./])*${segment}$`;
const sysctlExpression = new RegExp(sysctlPattern);
const ipcSysctls = ['kernel.sem', 'kernel.shm', 'kernel.msg', 'fs.mqueue.'];

function validateSysctls({ sysctls }: PodSecurityContext, spec: PodRules['spec'], field: string): FieldError[] {
  const seen = new Set<string>();
  return each(field, sysctls, ({ name = '' }, item) => {
    const path = `${item}.name`;
    const errors: FieldError[] = [];
    if (name === '') errors.push(required(path));
    else if (name.length > SYSCTL_BYTES_MAX || !sysctlExpression.test(name)) {
      errors.push(invalid(path, name, `must have at most ${SYSCTL_BYTES_MAX} characters and match regex ${sysctlPattern}`));
    } else if (seen.has(name)) errors.push(duplicate(path, name));
    seen.add(name);
    const dotted = name.replaceAll('/', '.');
    if (spec.hostNetwork === true && dotted.startsWith('net.'))
      errors.push(invalid(path, name, "may not be specified when 'hostNetwork' is true"));
    else if (spec.hostIPC === true && ipcSysctls.some((prefix) => dotted.startsWith(prefix))) {
      errors.push(invalid(path, name, "may not be specified when 'hostIPC' is true"));
    }
    return errors;
  });
}

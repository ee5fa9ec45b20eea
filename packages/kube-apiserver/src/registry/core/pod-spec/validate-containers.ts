import type { Container, ContainerPort, EphemeralContainer, PodSpec } from '@orrery/api/core/v1';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  isDns1123Label,
  isPortName,
  isPortNumber,
  notFound,
  notSupported,
  required,
} from '@orrery/apimachinery';
import { check, each } from '../../validate.ts';
import { protocols } from '../endpoints/validation.ts';
import { validateResourceRequirements } from '../resources/validation.ts';
import type { PodRules } from './rules.ts';
import { validateEnvironment } from './validate-env.ts';
import { validateDevices, validateMounts } from './validate-mounts.ts';
import { validateLifecycleAndProbes } from './validate-probes.ts';
import { validateRestartRules } from './validate-restart-rules.ts';
import { validateContainerSecurity } from './validate-security.ts';

const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const messagePolicies = ['File', 'FallbackToLogsOnError'];

/** Containers of all three kinds. Source: validateContainers, validateInitContainers, validateEphemeralContainers. */
export function validateAllContainers(rules: PodRules, field: string): FieldError[] {
  const { containers, initContainers, ephemeralContainers } = rules.spec;
  return [
    ...validateMain(containers, rules, `${field}.containers`),
    ...validateInit(initContainers, rules, `${field}.initContainers`),
    ...validateEphemeral(ephemeralContainers, rules, `${field}.ephemeralContainers`),
  ];
}

function validateMain(containers: PodSpec['containers'] | undefined, rules: PodRules, field: string): FieldError[] {
  if (containers === undefined || containers === null || containers.length === 0) return [required(field)];
  const names = new Set<string>();
  const errors = each(field, containers, (container, path) => [
    ...validateCommon(container, rules, path),
    ...uniqueName(container.name, names, path),
    ...validateLifecycleAndProbes(container, rules, path),
    ...validateRestartRules(container, path),
  ]);
  return [...errors, ...hostPortConflicts(containers, field)];
}

function uniqueName(name: string, names: Set<string>, field: string): FieldError[] {
  if (names.has(name)) return [duplicate(`${field}.name`, name)];
  if (name) names.add(name);
  return [];
}

function validateInit(containers: readonly Container[] | undefined, rules: PodRules, field: string): FieldError[] {
  const names = new Set((rules.spec.containers ?? []).map(({ name }) => name));
  return each(field, containers, (container, path) => [
    ...validateCommon(container, rules, path),
    ...validateRestartRules(container, path),
    ...uniqueName(container.name, names, path),
    ...hostPortConflicts([container], field),
    ...(container.restartPolicy === 'Always' ? validateLifecycleAndProbes(container, rules, path) : forbidInInit(container, path)),
  ]);
}

function forbidInInit(container: Container, field: string): FieldError[] {
  return (['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    .filter((key) => container[key] !== undefined && container[key] !== null)
    .map((key) => forbidden(`${field}.${key}`, 'may not be set for init containers without restartPolicy=Always'));
}

const forbiddenInEphemeral = [
  'ports',
  'lifecycle',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;
const notInEphemeral = 'cannot be set for an Ephemeral Container';

function validateEphemeral(containers: readonly EphemeralContainer[] | undefined, rules: PodRules, field: string): FieldError[] {
  const others = new Set([...(rules.spec.containers ?? []), ...(rules.spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  return each(field, containers, (container, path) => [
    ...validateCommon(container, rules, path),
    ...validateImageText(container, path),
    ...uniqueName(container.name, names, path),
    ...(container.targetContainerName && !others.has(container.targetContainerName)
      ? [notFound(`${path}.targetContainerName`, container.targetContainerName)]
      : []),
    ...forbiddenInEphemeral.filter((key) => isSet(container[key])).map((key) => forbidden(`${path}.${key}`, notInEphemeral)),
    ...(Object.keys(container.resources ?? {}).length > 0 ? [forbidden(`${path}.resources`, notInEphemeral)] : []),
    ...each(`${path}.volumeMounts`, container.volumeMounts, ({ subPath, subPathExpr }, mount) => [
      ...(subPath ? [forbidden(`${mount}.subPath`, notInEphemeral)] : []),
      ...(subPathExpr ? [forbidden(`${mount}.subPathExpr`, notInEphemeral)] : []),
    ]),
  ]);
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);

/** Only pods refuse padded images: templates may hold placeholders. */
export function validateImageText({ image = '' }: Pick<Container, 'image'>, field: string): FieldError[] {
  return image === image.trim() ? [] : [invalid(`${field}.image`, image, 'must not have leading or trailing whitespace')];
}

/** Source: validateContainerCommon. */
function validateCommon(container: Container | EphemeralContainer, rules: PodRules, field: string): FieldError[] {
  const { name = '', image = '', imagePullPolicy = '', terminationMessagePolicy = '' } = container;
  return [
    ...(name === '' ? [required(`${field}.name`)] : check(`${field}.name`, name, isDns1123Label)),
    ...(image === '' ? [required(`${field}.image`)] : []),
    ...oneOf(terminationMessagePolicy, messagePolicies, `${field}.terminationMessagePolicy`),
    ...validatePorts(container.ports, `${field}.ports`),
    ...validateEnvironment(container, field),
    ...validateMounts(container, rules, field),
    ...validateDevices(container, rules, field),
    ...oneOf(imagePullPolicy, pullPolicies, `${field}.imagePullPolicy`),
    ...validateResourceRequirements(container.resources, rules.claims, `${field}.resources`),
    ...validateResizePolicy(container, rules, `${field}.resizePolicy`),
    ...validateContainerSecurity(container.securityContext, rules, `${field}.securityContext`),
  ];
}

/** A required choice. */
export function oneOf(value: string | undefined, supported: readonly string[], field: string): FieldError[] {
  if (value === undefined || value === '') return [required(field)];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

function validatePorts(ports: readonly ContainerPort[] | undefined, field: string): FieldError[] {
  const names = new Set<string>();
  return each(field, ports, ({ name = '', containerPort = 0, hostPort = 0, protocol }, path) => {
    const errors: FieldError[] = [];
    const reasons = name === '' ? [] : isPortName(name);
    errors.push(...reasons.map((reason) => invalid(`${path}.name`, name, reason)));
    if (name !== '' && reasons.length === 0) errors.push(...uniqueName(name, names, path));
    if (containerPort === 0) errors.push(required(`${path}.containerPort`));
    else errors.push(...isPortNumber(containerPort).map((reason) => invalid(`${path}.containerPort`, containerPort, reason)));
    if (hostPort !== 0) errors.push(...isPortNumber(hostPort).map((reason) => invalid(`${path}.hostPort`, hostPort, reason)));
    return [...errors, ...oneOf(protocol, protocols, `${path}.protocol`)];
  });
}

/** Source: AccumulateUniqueHostPorts. */
function hostPortConflicts(containers: readonly Container[], field: string): FieldError[] {
  const seen = new Set<string>();
  return each(field, containers, ({ ports }, path) =>
    each(`${path}.ports`, ports, ({ hostPort = 0, hostIP = '', protocol = '' }, portPath) => {
      const id = `${protocol}/${hostIP}/${hostPort}`;
      if (hostPort === 0) return [];
      if (seen.has(id)) return [duplicate(`${portPath}.hostPort`, id)];
      seen.add(id);
      return [];
    }),
  );
}

const resizePolicies = ['NotRequired', 'RestartContainer'];

/** Source: validateResizePolicy. */
function validateResizePolicy({ resizePolicy }: Container | EphemeralContainer, { spec }: PodRules, field: string): FieldError[] {
  const seen = new Set<string>();
  return each(field, resizePolicy, ({ resourceName = '', restartPolicy = '' }, path) => {
    const errors = seen.has(resourceName) ? [duplicate(path, resourceName)] : [];
    seen.add(resourceName);
    errors.push(...oneOf(resourceName, ['cpu', 'memory'], field), ...oneOf(restartPolicy, resizePolicies, field));
    if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(invalid(field, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
    }
    return errors;
  });
}

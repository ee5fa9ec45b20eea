import type { PodResourceClaim, PodSpec } from '@orrery/api/core/v1';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  isDns1123Label,
  isQualifiedName,
  nameIsDnsSubdomain,
  notSupported,
  type ObjectMeta,
  rangeMessage,
  required,
  validateLabels,
} from '@orrery/apimachinery';
import { check, each } from '../../validate.ts';
import { validateResourceRequirements } from '../resources/validation.ts';
import { validatePodLevelResources } from './pod-level-resources.ts';
import type { PodRules } from './rules.ts';
import { validateAffinity } from './validate-affinity.ts';
import { oneOf, validateAllContainers } from './validate-containers.ts';
import { validateDnsConfig, validateHostAliases, validateHostNetwork } from './validate-network.ts';
import { validateOs } from './validate-os.ts';
import { validateSchedulingGates, validateTolerations, validateTopologySpread } from './validate-scheduling.ts';
import { validatePodSecurity } from './validate-security.ts';
import { validateVolumes } from './validate-volumes.ts';

const INT32_MAX = 2 ** 31 - 1;
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const restartPolicies = ['Always', 'OnFailure', 'Never'];

/**
 * Rules of a pod spec, in upstream's order. Source: ValidatePodSpec.
 * @param metadata - The pod's; undefined for the spec of a template.
 */
export function validatePodSpec(spec: PodSpec, metadata: ObjectMeta | undefined, field: string): FieldError[] {
  const { volumes, errors } = validateVolumes(spec, metadata, `${field}.volumes`);
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  const rules: PodRules = { isPod: metadata !== undefined, spec, metadata, volumes, claims, hostUsers: spec.hostUsers !== false };
  return [
    ...(spec.terminationGracePeriodSeconds === undefined ? [required(`${field}.terminationGracePeriodSeconds`)] : []),
    ...errors,
    ...validateResourceClaims(spec.resourceClaims, `${field}.resourceClaims`),
    ...validateAllContainers(rules, field),
    ...validatePodLevel(rules, field),
    ...validateHostNetwork(rules, field),
    ...oneOf(spec.restartPolicy, restartPolicies, `${field}.restartPolicy`),
    ...oneOf(spec.dnsPolicy, dnsPolicies, `${field}.dnsPolicy`),
    ...validateLabels(spec.nodeSelector, `${field}.nodeSelector`),
    ...validatePodSecurity(rules, `${field}.securityContext`),
    ...validateAffinity(spec.affinity, `${field}.affinity`),
    ...validateDnsConfig(rules, `${field}.dnsConfig`),
    ...each(`${field}.readinessGates`, spec.readinessGates, ({ conditionType = '' }, path) =>
      check(`${path}.conditionType`, conditionType, isQualifiedName),
    ),
    ...validateSchedulingGates(spec.schedulingGates, `${field}.schedulingGates`),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${field}.topologySpreadConstraints`),
    ...validateHostUsers(spec, field),
    ...validateNames(spec, field),
    ...validateTolerations(spec.tolerations, `${field}.tolerations`),
    ...validateHostAliases(rules, `${field}.hostAliases`),
    ...validateClassNames(spec, field),
    ...validateOs(spec, field),
  ];
}

function validatePodLevel(rules: PodRules, field: string): FieldError[] {
  const { resources } = rules.spec;
  if (resources === undefined || resources === null) return [];
  const path = `${field}.resources`;
  return [
    ...(resources.claims === undefined ? [] : [forbidden(`${path}.claims`, 'claims cannot be set for Resources at pod-level')]),
    ...validateResourceRequirements({ ...resources, claims: [] }, rules.claims, path),
    ...validatePodLevelResources(rules.spec, path),
  ];
}

function validateHostUsers(spec: PodSpec, field: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const reason = 'when `hostUsers` is false';
  return (['hostNetwork', 'hostPID', 'hostIPC'] as const)
    .filter((key) => spec[key] === true)
    .map((key) => forbidden(`${field}.${key}`, reason));
}

const subdomain = (field: string, name: string | undefined): FieldError[] =>
  name === undefined || name === '' ? [] : nameIsDnsSubdomain(name, false).map((reason) => invalid(field, name, reason));
const label = (field: string, name: string | undefined): FieldError[] =>
  name === undefined || name === '' ? [] : check(field, name, isDns1123Label);

function validateNames(spec: PodSpec, field: string): FieldError[] {
  const deadline = spec.activeDeadlineSeconds;
  const late = deadline !== undefined && !(deadline >= 1 && deadline <= INT32_MAX);
  return [
    ...subdomain(`${field}.serviceAccountName`, spec.serviceAccountName),
    ...subdomain(`${field}.nodeName`, spec.nodeName),
    ...(late ? [invalid(`${field}.activeDeadlineSeconds`, deadline, rangeMessage(1, INT32_MAX))] : []),
    ...label(`${field}.hostname`, spec.hostname),
    ...label(`${field}.subdomain`, spec.subdomain),
  ];
}

function validateClassNames(spec: PodSpec, field: string): FieldError[] {
  const policy = spec.preemptionPolicy;
  return [
    ...subdomain(`${field}.priorityClassName`, spec.priorityClassName),
    ...(spec.runtimeClassName === undefined
      ? []
      : nameIsDnsSubdomain(spec.runtimeClassName, false).map((reason) =>
          invalid(`${field}.runtimeClassName`, spec.runtimeClassName, reason),
        )),
    ...(policy === undefined || policy === 'Never' || policy === 'PreemptLowerPriority'
      ? []
      : [notSupported(`${field}.preemptionPolicy`, policy, ['PreemptLowerPriority', 'Never'])]),
    ...(spec.overhead === undefined ? [] : validateResourceRequirements({ limits: spec.overhead }, new Set(), `${field}.overhead`)),
  ];
}

function validateResourceClaims(claims: readonly PodResourceClaim[] | undefined, field: string): FieldError[] {
  const seen = new Set<string>();
  return each(field, claims, (claim, path) => {
    const { name = '', resourceClaimName, resourceClaimTemplateName } = claim;
    const errors: FieldError[] = [];
    if (name === '') errors.push(required(`${path}.name`));
    else if (seen.has(name)) errors.push(duplicate(`${path}.name`, name));
    else errors.push(...check(`${path}.name`, name, isDns1123Label));
    seen.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      errors.push(invalid(path, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.push(invalid(path, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    }
    return [
      ...errors,
      ...subdomain(`${path}.resourceClaimName`, resourceClaimName),
      ...subdomain(`${path}.resourceClaimTemplateName`, resourceClaimTemplateName),
    ];
  });
}

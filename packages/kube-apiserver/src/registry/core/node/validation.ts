import type { Node, Taint } from '@orrery/api/core/v1';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  isCidrForLegacyField,
  isQualifiedName,
  isValidLabelValue,
  notSupported,
  required,
} from '@orrery/apimachinery';
import { semanticEqual } from '../../semantic-equal.ts';
import { check, each } from '../../validate.ts';
import { validateQuantity } from '../resources/validation.ts';

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Source: ValidateNode. */
export function validateNode({ spec, status }: Node): FieldError[] {
  return [
    ...validateTaints(spec?.taints),
    ...validateResourceList(status?.capacity, 'status.capacity'),
    ...validateResourceList(status?.allocatable, 'status.allocatable'),
    ...validatePodCidrs(spec?.podCIDRs),
  ];
}

function validatePodCidrs(cidrs: readonly string[] | undefined): FieldError[] {
  const errors = each('spec.podCIDRs', cidrs, (cidr, field) => check(field, cidr, isCidrForLegacyField));
  if ((cidrs ?? []).length > 2) {
    errors.push(invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
  } else if (errors.length === 0 && cidrs?.length === 2 && cidrs[0]?.includes(':') === cidrs[1]?.includes(':')) {
    errors.push(invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
  }
  return errors;
}

/** Paths of taints are upstream's. */
function validateTaints(taints: readonly Taint[] | undefined): FieldError[] {
  const seen = new Set<string>();
  return each('metadata.taints', taints, (taint, field) => {
    const { key = '', value = '', effect = '' } = taint;
    const reasons = isValidLabelValue(value);
    const errors = [
      ...check(`${field}.key`, key, isQualifiedName),
      ...(reasons.length === 0 ? [] : [invalid(`${field}.value`, value, reasons.join(';'))]),
      ...validateEffect(effect, `${field}.effect`),
    ];
    const id = `${effect}/${key}`;
    const again = duplicate(field, taint);
    if (seen.has(id)) errors.push({ ...again, message: `${again.message}: taints must be unique by key and effect pair` });
    seen.add(id);
    return errors;
  });
}

function validateEffect(effect: string | undefined, field: string): FieldError[] {
  if (effect === undefined || effect === '') return [required(field)];
  return taintEffects.includes(effect) ? [] : [notSupported(field, effect, taintEffects)];
}

function validateResourceList(list: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  return Object.entries(list ?? {}).flatMap(([name, value]) => validateQuantity(name, value, `${field}.${name}`));
}

/** Fields that are settled once: podCIDRs and providerID. Source: ValidateNodeUpdate. */
export function validateNodeUpdate({ spec, status }: Node, old: Node): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  errors.push(
    ...each('status.addresses', status?.addresses, (address, field) => {
      const id = `${address.type}/${address.address}`;
      const again = seen.has(id);
      seen.add(id);
      return again ? [duplicate(field, address)] : [];
    }),
  );
  if ((old.spec?.podCIDRs ?? []).length > 0 && !semanticEqual(spec?.podCIDRs, old.spec?.podCIDRs)) {
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  }
  if ((old.spec?.providerID ?? '') !== '' && spec?.providerID !== old.spec?.providerID) {
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  if ((spec?.externalID ?? '') !== (old.spec?.externalID ?? '')) errors.push(forbidden('spec.externalID', 'may not be updated'));
  return errors;
}

/** The same, and sane conditions: each type at most once. */
export function validateNodeStatusUpdate(next: Node, old: Node): FieldError[] {
  return [...validateNode(next), ...validateNodeUpdate(next, old)];
}

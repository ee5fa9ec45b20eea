import type { PolicyRule, RoleRef, Subject } from '@orrery/api/rbac/v1';
import { type Draft, type FieldError, invalid, nameIsDnsSubdomain, nameIsPathSegment, notSupported, required } from '@orrery/apimachinery';
import { check, each } from '../validate.ts';

/** The group of the rules themselves, and of users and groups as subjects. */
export const rbacGroup = 'rbac.authorization.k8s.io';

/** Source: ValidatePolicyRule. @param isNamespaced - Of a Role: paths that are no resources belong to no namespace. */
export function validateRule(rule: PolicyRule, field: string, isNamespaced: boolean): FieldError[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const errors: FieldError[] = [];
  if (verbs.length === 0) errors.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const path = `${field}.nonResourceURLs`;
    if (isNamespaced) errors.push(invalid(path, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      errors.push(invalid(path, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
    }
    return errors;
  }
  if (apiGroups.length === 0) errors.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0) errors.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
  return errors;
}

interface Binding {
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[];
}

/** Subjects and the role belong to their groups when nobody says so. Source: SetDefaults_Subject, SetDefaults_RoleBinding. */
export function defaultBinding(draft: Draft<Binding>): void {
  if (draft.roleRef !== undefined && (draft.roleRef.apiGroup ?? '') === '') draft.roleRef.apiGroup = rbacGroup;
  for (const subject of draft.subjects ?? []) {
    if ((subject.apiGroup ?? '') === '' && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup = rbacGroup;
  }
}

/** Source: ValidateRoleBinding, ValidateClusterRoleBinding. */
export function validateBinding({ roleRef, subjects }: Binding, kinds: readonly string[]): FieldError[] {
  const isNamespaced = kinds.includes('Role');
  return [
    ...validateRoleRef(roleRef, kinds),
    ...each('subjects', subjects, (subject, field) => validateSubject(subject, field, isNamespaced)),
  ];
}

function validateRoleRef(roleRef: RoleRef | undefined, kinds: readonly string[]): FieldError[] {
  const { apiGroup = '', kind = '', name = '' } = roleRef ?? {};
  const errors: FieldError[] = [];
  if (apiGroup !== rbacGroup) errors.push(notSupported('roleRef.apiGroup', apiGroup, [rbacGroup]));
  if (!kinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, kinds));
  if (name === '') errors.push(required('roleRef.name'));
  else errors.push(...check('roleRef.name', name, (value) => nameIsPathSegment(value, false)));
  return errors;
}

function validateSubject({ kind, name = '', apiGroup = '', namespace = '' }: Subject, field: string, isNamespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (name === '') errors.push(required(`${field}.name`));
  if (kind === 'ServiceAccount') {
    if (name !== '') errors.push(...check(`${field}.name`, name, (value) => nameIsDnsSubdomain(value, false)));
    if (apiGroup !== '') errors.push(notSupported(`${field}.apiGroup`, apiGroup, ['']));
    if (!isNamespaced && namespace === '') errors.push(required(`${field}.namespace`));
    return errors;
  }
  if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== rbacGroup) errors.push(notSupported(`${field}.apiGroup`, apiGroup, [rbacGroup]));
    return errors;
  }
  return [...errors, notSupported(`${field}.kind`, kind, ['ServiceAccount', 'User', 'Group'])];
}

/** A binding never changes its role: who may change subjects could else hand out another role. */
export function validateRoleRefUpdate(next: Binding, old: Binding): FieldError[] {
  const same = (['apiGroup', 'kind', 'name'] as const).every((key) => (next.roleRef[key] ?? '') === (old.roleRef[key] ?? ''));
  const { apiGroup, kind, name } = next.roleRef;
  return same ? [] : [invalid('roleRef', { apiGroup, kind, name }, 'cannot change roleRef')];
}

/** Text lists of a binding's subjects, for tables. */
export function subjectNames(subjects: readonly Subject[] | undefined, kind: string): string {
  return (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');
}

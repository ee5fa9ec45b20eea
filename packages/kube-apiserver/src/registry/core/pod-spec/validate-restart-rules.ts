import type { Container } from '@orrery/api/core/v1';
import { type FieldError, notSupported, required, tooMany } from '@orrery/apimachinery';
import { each } from '../../validate.ts';

const policies = ['Always', 'Never', 'OnFailure'];
const RULES_MAX = 20;
const VALUES_MAX = 255;

/** A container's own restart policy and the exit codes that make exceptions (KEP-5307). */
export function validateRestartRules({ restartPolicy, restartPolicyRules }: Container, field: string): FieldError[] {
  const rules = restartPolicyRules ?? [];
  const errors: FieldError[] = [];
  if (restartPolicy !== undefined && !policies.includes(restartPolicy))
    errors.push(notSupported(`${field}.restartPolicy`, restartPolicy, policies));
  if (rules.length === 0) return errors;
  if (restartPolicy === undefined)
    errors.push(required(`${field}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  if (rules.length > RULES_MAX) errors.push(tooMany(`${field}.restartPolicyRules`, rules.length, RULES_MAX));
  return [
    ...errors,
    ...each(`${field}.restartPolicyRules`, rules, ({ action, exitCodes }, path) => {
      const found: FieldError[] = [];
      if (action !== 'Restart' && action !== 'RestartAllContainers')
        found.push(notSupported(`${path}.action`, action ?? '', ['Restart', 'RestartAllContainers']));
      if (exitCodes === undefined) return [...found, required(`${path}.exitCodes`, 'must be specified')];
      const { operator, values = [] } = exitCodes;
      if (operator !== 'In' && operator !== 'NotIn')
        found.push(notSupported(`${path}.exitCodes.operator`, operator ?? '', ['In', 'NotIn']));
      if (values.length === 0) found.push(required(`${path}.exitCodes.values`, 'must specify at least one value'));
      if (values.length > VALUES_MAX) found.push(tooMany(`${path}.exitCodes.values`, values.length, VALUES_MAX));
      return found;
    }),
  ];
}

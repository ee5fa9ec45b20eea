import type { RuntimeClass } from '@orrery/api/node/v1';
import { type FieldError, invalid, nameIsDnsLabel, validateLabels } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { validateTolerations } from '../../core/pod-spec/validate-scheduling.ts';
import { validateResourceRequirements } from '../../core/resources/validation.ts';
import { immutable } from '../../validate.ts';

/** Source: ValidateRuntimeClass. */
function validateRuntimeClass({ handler, overhead, scheduling }: RuntimeClass): FieldError[] {
  return [
    ...nameIsDnsLabel(handler ?? '', false).map((reason) => invalid('handler', handler ?? '', reason)),
    ...(overhead === undefined ? [] : validateResourceRequirements({ limits: overhead.podFixed ?? {} }, new Set(), 'overhead')),
    ...(scheduling === undefined
      ? []
      : [
          ...validateLabels(scheduling.nodeSelector, 'scheduling.nodeSelector'),
          ...validateTolerations(scheduling.tolerations, 'scheduling.tolerations'),
        ]),
  ];
}

const strategy: Strategy<RuntimeClass> = {
  generationOf: () => 0, // 1 for ever, as upstream.
  allowCreateOnUpdate: true,
  default: () => {},
  validate: validateRuntimeClass,
  validateUpdate: (next, old) => immutable('handler', next.handler, old.handler),
};

export const runtimeClassDefinition: ResourceDefinition<RuntimeClass> = {
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  resource: 'runtimeclasses',
  singular: 'runtimeclass',
  namespaced: false,
  typeName: 'io.k8s.api.node.v1.RuntimeClass',
  strategy,
  columns: [
    nameColumn,
    { name: 'Handler', description: 'What the runtime calls the configuration of its pods.', cell: ({ handler }) => handler },
    ageColumn,
  ],
};

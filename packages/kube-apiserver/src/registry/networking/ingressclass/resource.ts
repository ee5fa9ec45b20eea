import type { IngressClass, IngressClassParametersReference } from '@orrery/api/networking/v1';
import {
  type FieldError,
  forbidden,
  invalid,
  isDns1123Subdomain,
  nameIsDnsLabel,
  notSupported,
  required,
  tooLong,
} from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { ensure, fill } from '../../defaulting.ts';
import { check, immutable } from '../../validate.ts';
import { validateReference } from '../ingress/validation.ts';

const CONTROLLER_BYTES_MAX = 250;

function validateIngressClass({ spec }: IngressClass): FieldError[] {
  return [...validateController(spec.controller ?? ''), ...validateParameters(spec.parameters, 'spec.parameters')];
}

const PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

/** A domain, a slash and a path. Source: IsDomainPrefixedPath. */
function validateController(controller: string): FieldError[] {
  const field = 'spec.controller';
  if (controller === '') return [required(field)];
  const errors = controller.length > CONTROLLER_BYTES_MAX ? [tooLong(field, CONTROLLER_BYTES_MAX)] : [];
  const slash = controller.indexOf('/');
  if (slash <= 0 || slash === controller.length - 1) {
    return [...errors, invalid(field, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const domain = controller.slice(0, slash);
  const path = controller.slice(slash + 1);
  errors.push(...check(field, domain, isDns1123Subdomain));
  if (!PATH.test(path)) errors.push(invalid(field, path, `Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`));
  return errors;
}

function validateParameters(parameters: IngressClassParametersReference | undefined, field: string): FieldError[] {
  if (parameters === undefined) return [];
  const errors = validateReference(parameters, field);
  const { scope, namespace } = parameters;
  if (scope === undefined) return [...errors, required(`${field}.scope`)];
  if (scope !== 'Cluster' && scope !== 'Namespace') return [...errors, notSupported(`${field}.scope`, scope, ['Cluster', 'Namespace'])];
  if (scope === 'Cluster') {
    return namespace === undefined ? errors : [...errors, forbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'")];
  }
  if (namespace === undefined) return [...errors, required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'")];
  return [...errors, ...check(`${field}.namespace`, namespace, (name) => nameIsDnsLabel(name, false))];
}

export const ingressClassDefinition: ResourceDefinition<IngressClass> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  resource: 'ingressclasses',
  singular: 'ingressclass',
  namespaced: false,
  typeName: 'io.k8s.api.networking.v1.IngressClass',
  strategy: {
    default(draft) {
      const { parameters } = ensure(draft, 'spec');
      if (parameters !== undefined) fill(parameters, 'scope', 'Cluster');
    },
    validate: validateIngressClass,
    validateUpdate: (next, old) => [
      ...immutable('spec.controller', next.spec.controller, old.spec.controller),
      ...validateIngressClass(next),
    ],
  },
  columns: [
    nameColumn,
    { name: 'Controller', description: 'Who serves Ingresses of the class.', cell: ({ spec }) => spec.controller ?? '' },
    { name: 'Parameters', description: 'Where its settings are.', cell: ({ spec }) => parametersOf(spec.parameters) },
    ageColumn,
  ],
};

function parametersOf(parameters: IngressClassParametersReference | undefined): string {
  if (parameters === undefined) return '<none>';
  const { apiGroup, kind, name } = parameters;
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`;
}

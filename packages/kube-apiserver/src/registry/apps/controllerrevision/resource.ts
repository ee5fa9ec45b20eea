import type { ControllerRevision } from '@orrery/api/apps/v1';
import { type FieldError, required } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { immutable, nonNegative } from '../../validate.ts';

const strategy: Strategy<ControllerRevision> = {
  validate: validateRevision,
  validateUpdate: (next, old) => [...validateRevision(next), ...immutable('data', next.data, old.data)],
};

function validateRevision({ data, revision }: ControllerRevision): FieldError[] {
  return [...(data === undefined || data === null ? [required('data', 'data is mandatory')] : []), ...nonNegative('revision', revision)];
}

export const controllerRevisionDefinition: ResourceDefinition<ControllerRevision> = {
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  resource: 'controllerrevisions',
  singular: 'controllerrevision',
  namespaced: true,
  typeName: 'io.k8s.api.apps.v1.ControllerRevision',
  strategy,
  columns: [
    nameColumn,
    { name: 'Controller', description: 'Owner of the revision.', cell: controllerText },
    { name: 'Revision', description: 'Number of the revision.', cell: ({ revision }) => `${revision ?? 0}` },
    ageColumn,
  ],
};

function controllerText({ metadata }: ControllerRevision): string {
  const owner = (metadata.ownerReferences ?? []).find(({ controller }) => controller === true);
  if (owner === undefined) return '<none>';
  const slash = owner.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : `.${owner.apiVersion.slice(0, slash)}`;
  return `${`${owner.kind}${group}`.toLowerCase()}/${owner.name}`;
}

import type { VolumeAttachment } from '@orrery/api/storage/v1';
import { type FieldError, invalid, nameIsDnsSubdomain, required } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { ensure } from '../../defaulting.ts';
import { check, immutable } from '../../validate.ts';
import { validateDriverName } from '../csidriver/resource.ts';

/** Source: storage ValidateVolumeAttachment. */
function validate({ spec }: VolumeAttachment): FieldError[] {
  const { attacher = '', nodeName = '', source = {} } = spec;
  const { persistentVolumeName: name, inlineVolumeSpec } = source;
  const errors = [
    ...validateDriverName(attacher, 'spec.attacher'),
    ...(nodeName === ''
      ? [invalid('spec.nodeName', nodeName, 'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters')]
      : []),
  ];
  if (name === undefined && inlineVolumeSpec === undefined) {
    errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  } else if (name !== undefined && inlineVolumeSpec !== undefined) {
    errors.push(invalid('spec.source', source, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  } else if (name === '') errors.push(required('spec.source.persistentVolumeName', 'must specify non empty persistentVolumeName'));
  else if (name !== undefined) errors.push(...check('spec.source.persistentVolumeName', name, (value) => nameIsDnsSubdomain(value, false)));
  return errors;
}

const strategy: Strategy<VolumeAttachment> = {
  returnsDeletedObject: true,
  default(draft) {
    ensure(draft, 'status').attached ??= false;
  },
  prepareForCreate(draft) {
    draft.status = { attached: false };
  },
  validate,
  validateUpdate: (next, old) => [...validate(next), ...immutable('spec', next.spec, old.spec)],
};

export const volumeAttachmentDefinition: ResourceDefinition<VolumeAttachment> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  resource: 'volumeattachments',
  singular: 'volumeattachment',
  namespaced: false,
  typeName: 'io.k8s.api.storage.v1.VolumeAttachment',
  strategy,
  status: {},
  columns: [
    nameColumn,
    { name: 'Attacher', description: 'Who attaches it.', cell: ({ spec }) => spec.attacher },
    { name: 'PV', description: 'The volume.', cell: ({ spec }) => spec.source.persistentVolumeName ?? '' },
    { name: 'Node', description: 'The node.', cell: ({ spec }) => spec.nodeName },
    { name: 'Attached', type: 'boolean', description: 'Whether it is done.', cell: ({ status }) => status?.attached ?? false },
    ageColumn,
  ],
};

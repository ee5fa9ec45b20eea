import type { KubeObject } from '@orrery/apimachinery';
import {
  everyField,
  everyLabel,
  type FieldRequirement,
  newBadRequest,
  type ParsedFieldSelector,
  type ParsedLabelSelector,
  parseFieldSelector,
  parseLabelSelector,
} from '@orrery/apimachinery';
import type { CachedEntry, WatchTrigger } from '@orrery/storage';
import type { FieldGetter, ResourceDefinition } from '../definition.ts';
import type { ApiCall } from '../handler.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { own } from './own.ts';

/** Which objects of a resource a list or watch is about. */
export interface Selection {
  /** Absent: every namespace. */
  readonly namespace: string | undefined;
  /** Set where only one name can match. */
  readonly name: string | undefined;
  /** True for a label or field selector: the count of what remains is then unknown. */
  readonly selective: boolean;
  /** Absent: everything in the namespace matches. Judges namespace, labels and fields. */
  readonly matches: ((entry: CachedEntry) => boolean) | undefined;
  /** A cheap look-up that covers everything that matches. */
  readonly trigger: WatchTrigger | undefined;
}

type Test = (entry: CachedEntry) => boolean;

/** @throws StatusError BadRequest - A malformed selector, or a field that the resource does not know. */
export function selectionOf(endpoint: ResourceEndpoint, call: ApiCall): Selection {
  const { definition } = endpoint;
  const { labelSelector = '', fieldSelector = '' } = call.options ?? {};
  const labels = labelSelector === '' ? everyLabel : parseLabelSelector(labelSelector);
  const fields = fieldSelector === '' ? everyField : parseFieldSelector(fieldSelector);
  const name = call.name ?? fields.exactMatch('metadata.name');
  const asked = definition.namespaced && call.namespace !== '' ? call.namespace : undefined;
  const namespace = asked ?? (definition.namespaced ? fields.exactMatch('metadata.namespace') : undefined);
  const tests = [...inNamespace(endpoint, namespace), ...byName(call.name), ...byFields(endpoint, fields), ...byLabels(labels)];
  return {
    namespace,
    name,
    selective: !labels.everything || !fields.everything,
    matches: tests.length === 0 ? undefined : tests.length === 1 ? tests[0] : (entry) => tests.every((test) => test(entry)),
    trigger: triggerOf(definition, fields, namespace, name),
  };
}

function inNamespace({ storage }: ResourceEndpoint, namespace: string | undefined): Test[] {
  if (namespace === undefined) return [];
  const prefix = storage.keyOf(namespace, '');
  return [({ key }) => key.startsWith(prefix)];
}

const byName = (name: string | undefined): Test[] => (name === undefined ? [] : [({ key }) => key.endsWith(`/${name}`)]);

const byLabels = (labels: ParsedLabelSelector): Test[] =>
  labels.everything ? [] : [({ object }) => labels.matches(object.metadata.labels)];

const metadataFields: Readonly<Record<string, FieldGetter<KubeObject>>> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace ?? '',
};

function byFields(endpoint: ResourceEndpoint, fields: ParsedFieldSelector): Test[] {
  return fields.requirements.map((requirement) => byField(endpoint, requirement));
}

/** @throws StatusError BadRequest - A field that the resource does not know. */
export function fieldReaderOf({ selectableFields }: ResourceDefinition, field: string): FieldGetter<KubeObject> {
  const read = own(metadataFields, field) ?? own(selectableFields, field);
  if (read === undefined) throw newBadRequest(unknownField(field, selectableFields !== undefined));
  return read;
}

function byField(endpoint: ResourceEndpoint, { field, operator, value }: FieldRequirement): Test {
  const read = fieldReaderOf(endpoint.definition, field);
  return (entry) => (read(endpoint.show(entry).object) === value) === (operator === '=');
}

/** Source: DefaultMetaV1FieldSelectorConversion, and the conversions of kinds with fields of their own. */
const unknownField = (field: string, hasOwnFields: boolean): string =>
  hasOwnFields
    ? `field label not supported: ${field}`
    : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;

function triggerOf(
  { selectableFields = {}, viewOf }: ResourceDefinition,
  fields: ParsedFieldSelector,
  namespace: string | undefined,
  name: string | undefined,
): WatchTrigger | undefined {
  if (name !== undefined) return { index: 'metadata.name', value: name };
  if (viewOf === undefined) {
    for (const index of Object.keys(selectableFields)) {
      const value = fields.exactMatch(index);
      if (value !== undefined) return { index, value };
    }
  }
  return namespace === undefined ? undefined : { index: 'metadata.namespace', value: namespace };
}

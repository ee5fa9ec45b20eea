import type { Event } from '@orrery/api/core/v1';
import type { Column, FieldGetter, ResourceDefinition } from '@orrery/apiserver';
import { ageOf } from '../../../table/human-duration.ts';
import { eventStrategy } from './strategy.ts';

/** Events go away after an hour, as upstream's `--event-ttl`. */
export const EVENT_TTL_SECONDS = 3600;

const lower = (text: string | undefined): string => (text ?? '').toLowerCase();
const objectText = ({ involvedObject }: Event): string =>
  involvedObject?.name ? `${lower(involvedObject.kind)}/${involvedObject.name}` : lower(involvedObject?.kind);
const sourceText = ({ source, reportingComponent, reportingInstance }: Event): string =>
  [source?.component || reportingComponent || '', source?.host || reportingInstance || '']
    .filter((part, index) => index === 0 || part !== '')
    .join(', ');
const firstSeen = (event: Event, nowMs: number): string => ageOf(event.firstTimestamp || event.eventTime, nowMs);
function lastSeen(event: Event, nowMs: number): string {
  if (event.series !== undefined) return ageOf(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp ? ageOf(event.lastTimestamp, nowMs) : firstSeen(event, nowMs);
}

/** Source: printEvent. */
export const eventColumns: readonly Column<Event>[] = [
  { name: 'Last Seen', description: 'When the event was seen last.', cell: lastSeen },
  { name: 'Type', description: 'Normal or Warning.', cell: ({ type }) => type ?? '' },
  { name: 'Reason', description: 'Why, in a word.', cell: ({ reason }) => reason ?? '' },
  { name: 'Object', description: 'What the event is about.', cell: objectText },
  { name: 'Subobject', priority: 1, description: 'Part of the object.', cell: ({ involvedObject }) => involvedObject?.fieldPath ?? '' },
  { name: 'Source', priority: 1, description: 'Who reported it.', cell: sourceText },
  { name: 'Message', description: 'What happened.', cell: ({ message }) => (message ?? '').trim() },
  { name: 'First Seen', priority: 1, description: 'When the event was seen first.', cell: firstSeen },
  { name: 'Count', priority: 1, description: 'How often it was seen.', cell: ({ series, count }) => `${series?.count ?? (count || 1)}` },
  { name: 'Name', priority: 1, format: 'name', description: 'Name of the event.', cell: ({ metadata }) => metadata.name ?? '' },
];

/** Source: registry/core/event ToSelectableFields. */
export const eventFields: Readonly<Record<string, FieldGetter<Event>>> = {
  'involvedObject.kind': ({ involvedObject }) => involvedObject?.kind ?? '',
  'involvedObject.namespace': ({ involvedObject }) => involvedObject?.namespace ?? '',
  'involvedObject.name': ({ involvedObject }) => involvedObject?.name ?? '',
  'involvedObject.uid': ({ involvedObject }) => involvedObject?.uid ?? '',
  'involvedObject.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion ?? '',
  'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject?.resourceVersion ?? '',
  'involvedObject.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath ?? '',
  reason: ({ reason }) => reason ?? '',
  reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
  source: ({ source, reportingComponent }) => source?.component || reportingComponent || '',
  type: ({ type }) => type ?? '',
};

export const eventDefinition: ResourceDefinition<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.Event',
  strategy: eventStrategy,
  selectableFields: eventFields,
  columns: eventColumns,
  ttlSeconds: EVENT_TTL_SECONDS,
};

import type { Event } from '@orrery/api/core/v1';
import type { Event as EventsV1Event } from '@orrery/api/events/v1';
import { fieldsOf, type KubeObject } from '@orrery/apimachinery';
import type { Column, FieldGetter, ResourceDefinition } from '@orrery/apiserver';
import { EVENT_TTL_SECONDS, eventColumns, eventDefinition, eventFields } from '../../core/event/resource.ts';
import { eventFromStored, eventToStored } from './conversion.ts';
import { eventsV1Strategy } from './strategy.ts';

const asCore = (event: EventsV1Event): Event => eventToStored(event);

const columns: readonly Column<EventsV1Event>[] = eventColumns.map((column) => ({
  ...column,
  cell: (event, nowMs) => column.cell(asCore(event), nowMs),
}));

/** The same selectors under this version's names: `regarding` for `involvedObject`. */
const fields: Readonly<Record<string, FieldGetter<EventsV1Event>>> = Object.fromEntries(
  Object.entries(eventFields).map(([name, get]) => [
    name.replace('involvedObject', 'regarding').replace('reportingComponent', 'reportingController'),
    (event: EventsV1Event) => get(asCore(event)),
  ]),
);

/** The second view of core events: the same stored objects. */
export const eventsV1Definition: ResourceDefinition<EventsV1Event> = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
  typeName: 'io.k8s.api.events.v1.Event',
  strategy: eventsV1Strategy,
  selectableFields: fields,
  columns,
  ttlSeconds: EVENT_TTL_SECONDS,
  viewOf: {
    of: eventDefinition,
    fromStored: (object: KubeObject) => eventFromStored(fieldsOf(object) as unknown as Event),
    toStored: (object: KubeObject) => eventToStored(fieldsOf(object) as unknown as EventsV1Event),
  },
};

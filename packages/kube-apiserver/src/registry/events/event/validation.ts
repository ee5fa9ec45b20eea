import type { Event } from '@orrery/api/core/v1';
import type { Event as EventsV1Event } from '@orrery/api/events/v1';
import { type FieldError, invalid, required } from '@orrery/apimachinery';
import { validateLegacyEvent } from '../../core/event/validation.ts';
import { semanticEqual } from '../../semantic-equal.ts';
import { immutable } from '../../validate.ts';
import { eventToStored } from './conversion.ts';

/** Strict rules of creation through events.k8s.io. Field names are the core version's, as upstream reports them. Source: ValidateEventCreate. */
export function validateEventsV1Event(object: EventsV1Event): FieldError[] {
  const event = eventToStored(object);
  const errors = [...validateLegacyEvent(event), ...validateSeries(event)];
  if (!event.eventTime) errors.push(required('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning') errors.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  if (event.firstTimestamp) errors.push(invalid('firstTimestamp', '', 'needs to be unset'));
  if (event.lastTimestamp) errors.push(invalid('lastTimestamp', '', 'needs to be unset'));
  if (event.count) errors.push(invalid('count', '', 'needs to be unset'));
  if (event.source?.component || event.source?.host) errors.push(invalid('source', '', 'needs to be unset'));
  return errors;
}

function validateSeries({ series }: Event): FieldError[] {
  if (series === undefined) return [];
  return [
    ...((series.count ?? 0) < 2 ? [invalid('series.count', '', 'should be at least 2')] : []),
    ...(series.lastObservedTime ? [] : [required('series.lastObservedTime')]),
  ];
}

const settled = [
  ['involvedObject', 'involvedObject'],
  ['reason', 'reason'],
  ['message', 'message'],
  ['source', 'source'],
  ['firstTimestamp', 'firstTimestamp'],
  ['lastTimestamp', 'lastTimestamp'],
  ['count', 'count'],
  ['reason', 'reason'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ['action', 'action'],
  ['related', 'related'],
  ['reportingComponent', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
] as const;

/** Only the series of an event may change. Source: ValidateEventUpdate. */
export function validateEventsV1Update(object: EventsV1Event, oldObject: EventsV1Event): FieldError[] {
  const event = eventToStored(object);
  const old = eventToStored(oldObject);
  return [
    ...validateLegacyEvent(event),
    ...(semanticEqual(event.series, old.series) ? [] : validateSeries(event)),
    ...settled.flatMap(([key, field]) => immutable(field, event[key] ?? (typeof old[key] === 'string' ? '' : undefined), old[key])),
  ];
}

import type { Event as EventsV1Event } from '@orrery/api/events/v1';
import type { Strategy } from '@orrery/apiserver';
import { validateEventsV1Event, validateEventsV1Update } from './validation.ts';

export const eventsV1Strategy: Strategy<EventsV1Event> = {
  allowCreateOnUpdate: true,
  validate: validateEventsV1Event,
  validateUpdate: validateEventsV1Update,
};

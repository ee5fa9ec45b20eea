import type { Event } from '@orrery/api/core/v1';
import type { Strategy } from '@orrery/apiserver';
import { ensure } from '../../defaulting.ts';
import { validateLegacyEvent, validateLegacyEventUpdate } from './validation.ts';

export const eventStrategy: Strategy<Event> = {
  allowCreateOnUpdate: true,
  default(draft) {
    ensure(draft, 'source');
    draft.reportingComponent ??= '';
    draft.reportingInstance ??= '';
  },
  validate: validateLegacyEvent,
  validateUpdate: validateLegacyEventUpdate,
};

import type { ResourceDefinition } from '@orrery/apiserver';
import { eventsV1Definition } from './event/resource.ts';

export const eventsResources: readonly ResourceDefinition[] = [eventsV1Definition];

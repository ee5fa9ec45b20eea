import type { Clock, Random } from '@orrery/base';
import type { Client } from '@orrery/client';

/** What admission plugins work with. */
export interface AdmissionContext {
  /** Acts as the API server itself. Asked for with each request: the client exists only after the server that the plugins belong to. */
  client(): Pick<Client, 'get' | 'list' | 'create' | 'delete'>;
  readonly clock: Clock;
  readonly random: Random;
}

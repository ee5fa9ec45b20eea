import type { SchemaSource } from '@orrery/apimachinery';
import type { Clock, Random } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { AdmissionPlugin } from '../admission.ts';
import type { ResourceRegistry } from '../registry/resource-registry.ts';
import type { StoragePool } from '../registry/storage-pool.ts';
import type { SubresourceHandler } from './subresource.ts';

/** What every endpoint works with. */
export interface ServerCore {
  readonly registry: ResourceRegistry;
  readonly pool: StoragePool;
  readonly schemas: SchemaSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** In the order in which they are asked. */
  readonly admission: readonly AdmissionPlugin[];
  /** By `pods/binding`, or `deployments.apps/rollback` outside the core group. */
  readonly subresources: Readonly<Record<string, SubresourceHandler>>;
}

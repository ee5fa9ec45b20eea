import type { ResourceQuota } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import type { PartialUpdate, Strategy } from '@orrery/apiserver';
import { ensure } from '../../defaulting.ts';
import { validateResourceQuota, validateResourceQuotaStatus, validateResourceQuotaUpdate } from './validation.ts';

export const resourceQuotaStrategy: Strategy<ResourceQuota> = {
  generation: 'none',
  returnsDeletedObject: true,
  default: defaultQuota,
  validate: validateResourceQuota,
  validateUpdate: (next, old) => [...validateResourceQuota(next), ...validateResourceQuotaUpdate(next, old)],
};

export const resourceQuotaStatus: PartialUpdate<ResourceQuota> = { default: defaultQuota, validateUpdate: validateResourceQuotaStatus };

function defaultQuota(draft: Draft<ResourceQuota>): void {
  ensure(draft, 'spec');
  ensure(draft, 'status');
}

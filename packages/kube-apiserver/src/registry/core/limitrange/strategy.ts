import type { LimitRange, LimitRangeItem } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import type { Strategy } from '@orrery/apiserver';
import { ensure } from '../../defaulting.ts';
import { validateLimitRange } from './validation.ts';

export const limitRangeStrategy: Strategy<LimitRange> = {
  generation: 'none',
  allowCreateOnUpdate: true,
  default(draft) {
    for (const item of ensure(draft, 'spec').limits ?? []) if (item.type === 'Container') defaultContainerLimit(item);
  },
  validate: validateLimitRange,
  validateUpdate: (next) => validateLimitRange(next),
};

/** The default limit is the maximum, the default request is the default limit, else the minimum. */
function defaultContainerLimit(item: Draft<LimitRangeItem>): void {
  item.default = { ...item.max, ...item.default };
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
}

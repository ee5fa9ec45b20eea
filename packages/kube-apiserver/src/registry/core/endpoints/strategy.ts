import type { Endpoints } from '@orrery/api/core/v1';
import type { Strategy } from '@orrery/apiserver';
import { fill } from '../../defaulting.ts';
import { semanticEqual } from '../../semantic-equal.ts';
import { validateEndpoints } from './validation.ts';

export const endpointsStrategy: Strategy<Endpoints> = {
  allowCreateOnUpdate: true,
  default({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) fill(port, 'protocol', 'TCP');
  },
  validate: validateEndpoints,
  validateUpdate: (next, old) => (semanticEqual(next.subsets, old.subsets) ? [] : validateEndpoints(next)),
};

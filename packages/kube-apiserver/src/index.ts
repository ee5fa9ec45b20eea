export { parseRange } from './registry/addresses.ts';
export { KUBERNETES_FINALIZER, NAME_LABEL } from './registry/core/namespace/strategy.ts';
export { minimalObjects } from './registry/minimal-objects.ts';
export { resources } from './registry/resources.ts';
export { humanDuration } from './table/human-duration.ts';

import { isDeepStrictEqual } from 'node:util';
import type { Endpoints, Pod, Service } from '@orrery/api/core/v1';
import type { ObjectMeta } from '@orrery/apimachinery';
import { isHeadless, sameLabels } from '../service-endpoints/membership.ts';
import { withTriggerTime } from '../service-endpoints/trigger-times.ts';
import { subsetsOf, truncated } from './subsets.ts';

const HEADLESS_LABEL = 'service.kubernetes.io/headless';
const MANAGED_BY_LABEL = 'endpoints.kubernetes.io/managed-by';
const OVER_CAPACITY_ANNOTATION = 'endpoints.kubernetes.io/over-capacity';
/** Who writes these objects: the value of the label, and the component of events. */
export const MANAGER = 'endpoint-controller';

/** Whether the endpoints controller has written it. */
export const isManaged = ({ metadata }: Endpoints): boolean => metadata.labels?.[MANAGED_BY_LABEL] === MANAGER;

/**
 * The Endpoints object that `service` should have. Undefined: `current` is it.
 * @param triggerTime - When what changed did, for the annotation.
 */
export function desiredEndpoints(
  service: Service,
  pods: readonly Pod[],
  current: Endpoints | undefined,
  triggerTime: string | undefined,
): Pick<Endpoints, 'metadata' | 'subsets'> | undefined {
  const all = subsetsOf(service, pods);
  const cut = truncated(all);
  const subsets = cut ?? all;
  const labels = labelsOf(service);
  const annotations = current?.metadata.annotations;
  const isMarked = annotations?.[OVER_CAPACITY_ANNOTATION] !== undefined;
  const isSame =
    current !== undefined &&
    isDeepStrictEqual(current.subsets ?? [], subsets) &&
    sameLabels(current.metadata.labels, labels) &&
    isMarked === (cut !== undefined);
  if (isSame) return undefined;
  const { [OVER_CAPACITY_ANNOTATION]: _old, ...others } = annotations ?? {};
  const next = withTriggerTime(cut === undefined ? others : { ...others, [OVER_CAPACITY_ANNOTATION]: 'truncated' }, triggerTime);
  const { name, namespace } = service.metadata;
  const { annotations: _annotations, ...kept }: Partial<ObjectMeta> = current?.metadata ?? {};
  const metadata = {
    ...kept,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels,
    ...(next === undefined ? {} : { annotations: next }),
  };
  return { metadata: metadata as ObjectMeta, subsets };
}

const labelsOf = (service: Service): { readonly [key: string]: string } => {
  const { [HEADLESS_LABEL]: _headless, ...labels } = service.metadata.labels ?? {};
  return { ...labels, [MANAGED_BY_LABEL]: MANAGER, ...(isHeadless(service) ? { [HEADLESS_LABEL]: '' } : {}) };
};

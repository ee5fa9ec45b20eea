import type { Service } from '@orrery/api/core/v1';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import { isHeadless } from '../service-endpoints/membership.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
const HEADLESS_LABEL = 'service.kubernetes.io/headless';
/** Value of the label on slices that the controller writes. */
export const MANAGER = 'endpointslice-controller.k8s.io';

/** The service's labels, and those by which slices are found. */
export function sliceLabels(service: Service): { readonly [key: string]: string } {
  const {
    [HEADLESS_LABEL]: _headless,
    [SERVICE_NAME_LABEL]: _name,
    [MANAGED_BY_LABEL]: _manager,
    ...labels
  } = service.metadata.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service) ? { [HEADLESS_LABEL]: '' } : {}),
    [SERVICE_NAME_LABEL]: service.metadata.name,
    [MANAGED_BY_LABEL]: MANAGER,
  };
}

/** Index name for {@link byManagedService}. */
export const managedServiceIndex = 'endpointslice-controller/service';

/** Index function: slices that the controller writes, by `namespace/service`. */
export function byManagedService({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  return name !== undefined && metadata.labels?.[MANAGED_BY_LABEL] === MANAGER ? `${metadata.namespace ?? ''}/${name}` : undefined;
}

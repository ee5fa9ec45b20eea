import type { DaemonSet, StatefulSet } from '@orrery/api/apps/v1';
import type { Resource } from '@orrery/apimachinery';

/** Kinds that other clusters serve. Where they are not served, nothing is shown of them. */
export const statefulSets: Resource<StatefulSet> = {
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  resource: 'statefulsets',
  namespaced: true,
};
export const daemonSets: Resource<DaemonSet> = {
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  resource: 'daemonsets',
  namespaced: true,
};

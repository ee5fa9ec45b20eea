import type { GroupVersionKind } from '@orrery/apimachinery';

/** A subresource that is no part of its object: it is served by other means than update, but discovery shows it. */
export interface Subresource {
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  readonly subresource: string;
  /** What goes in or comes out. */
  readonly kind: GroupVersionKind;
  /** Sorted. */
  readonly verbs: readonly string[];
}

const all = ['create', 'delete', 'get', 'patch', 'update'];
const stream = ['create', 'get'];

const core = (path: string, kind: string, verbs: readonly string[], group = ''): Subresource => {
  const [resource = '', subresource = ''] = path.split('/');
  return { group: '', version: 'v1', resource, subresource, kind: { group, version: 'v1', kind }, verbs };
};

/** Connections into the cluster, and the actions that have a body of their own. */
export const actionSubresources: readonly Subresource[] = [
  core('nodes/proxy', 'NodeProxyOptions', all),
  core('pods/attach', 'PodAttachOptions', stream),
  core('pods/binding', 'Binding', ['create']),
  core('pods/eviction', 'Eviction', ['create'], 'policy'),
  core('pods/exec', 'PodExecOptions', stream),
  core('pods/log', 'Pod', ['get']),
  core('pods/portforward', 'PodPortForwardOptions', stream),
  core('pods/proxy', 'PodProxyOptions', all),
  core('serviceaccounts/token', 'TokenRequest', ['create'], 'authentication.k8s.io'),
  core('services/proxy', 'ServiceProxyOptions', all),
];

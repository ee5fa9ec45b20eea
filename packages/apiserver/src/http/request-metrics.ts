import type { MetricsRegistry } from '@orrery/component';
import { isLongRunning, type RequestInfo } from './request-info.ts';

/** Counts of what the server serves, under upstream's names. */
export interface RequestMetrics {
  finished(info: RequestInfo, verb: string, dryRun: boolean, code: number, seconds: number): void;
  /** Adds `by` to the requests being served. */
  inFlight(kind: 'readOnly' | 'mutating', by: 1 | -1): void;
  longRunning(info: RequestInfo, verb: string, by: 1 | -1): void;
  /** A request refused because too much was going on. */
  rejected(kind: 'readOnly' | 'mutating' | 'watch'): void;
}

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const resourceLabels = ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component'];

export function newRequestMetrics(registry: MetricsRegistry): RequestMetrics {
  const total = registry.counter({
    name: 'apiserver_request_total',
    help: 'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
    labels: [...resourceLabels, 'code'],
  });
  const duration = registry.histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
    labels: resourceLabels,
    buckets: durationBuckets,
  });
  const inFlight = registry.gauge({
    name: 'apiserver_current_inflight_requests',
    help: 'Number of requests being served, by request kind.',
    labels: ['request_kind'],
  });
  const longRunning = registry.gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.',
    labels: ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'],
  });
  const watchers = registry.gauge({
    name: 'apiserver_registered_watchers',
    help: 'Number of currently registered watchers for a given resource.',
    labels: ['group', 'version', 'resource'],
  });
  const rejected = registry.counter({
    name: 'apiserver_dropped_requests_total',
    help: "Number of requests dropped with 'Try again later' response.",
    labels: ['request_kind'],
  });
  return {
    finished(info, verb, dryRun, code, seconds) {
      const values = [verb, dryRun ? 'All' : '', ...subjectOf(info), 'apiserver'];
      total.inc([...values, String(code)]);
      if (!isLongRunning(info)) duration.observe(seconds, values);
    },
    inFlight: (kind, by) => inFlight.add(by, [kind]),
    longRunning(info, verb, by) {
      longRunning.add(by, [verb, ...subjectOf(info), 'apiserver']);
      if (info.type === 'resource' && info.verb === 'watch') watchers.add(by, [info.group, info.version, info.resource]);
    },
    rejected: (kind) => rejected.inc([kind]),
  };
}

/** group, version, resource, subresource, scope. Paths that are no resource share their first step, so that hostile paths make no new series. */
function subjectOf(info: RequestInfo): string[] {
  if (info.type === 'path') return ['', '', '', `/${info.path.split('/', 2)[1] ?? ''}`, ''];
  const scope = info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster';
  return [info.group, info.version, info.resource, info.subresource, scope];
}

/** The verb as metrics name it. */
export function metricVerbOf(info: RequestInfo, contentType: string | undefined): string {
  if (info.type === 'path') return info.verb.toUpperCase();
  if (['attach', 'exec', 'portforward', 'proxy'].includes(info.subresource) || info.verb === 'proxy') return 'CONNECT';
  if (info.verb === 'patch') return contentType?.startsWith('application/apply-patch') === true ? 'APPLY' : 'PATCH';
  const names: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT', '': 'other' };
  return names[info.verb] ?? info.verb.toUpperCase();
}

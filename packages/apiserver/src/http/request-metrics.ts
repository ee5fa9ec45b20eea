import type { MetricsRegistry } from '@orrery/component';
import { isLongRunning, type RequestInfo, type ResourceRequestInfo } from './request-info.ts';

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

/** @param isServed - Whether the resource exists: what clients make up gets no series of its own. */
export function newRequestMetrics(registry: MetricsRegistry, isServed: (info: ResourceRequestInfo) => boolean): RequestMetrics {
  const subjectOf = (info: RequestInfo): string[] => labelsOf(info, isServed);
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
      if (info.type === 'resource' && info.verb === 'watch') watchers.add(by, subjectOf(info).slice(0, 3));
    },
    rejected: (kind) => rejected.inc([kind]),
  };
}

/** Subresources that are told apart. */
const knownSubresources = new Set(
  'approval attach binding ephemeralcontainers eviction exec finalize log portforward proxy resize scale status token'.split(' '),
);
/** First steps of paths that are told apart. */
const knownPaths = new Set(['', 'api', 'apis', 'healthz', 'livez', 'metrics', 'openapi', 'readyz', 'version']);

/** group, version, resource, subresource, scope: empty where a client made them up, so that hostile requests make no new series. */
function labelsOf(info: RequestInfo, isServed: (info: ResourceRequestInfo) => boolean): string[] {
  if (info.type === 'path') {
    const first = info.path.split('/', 2)[1] ?? '';
    return ['', '', '', knownPaths.has(first) ? `/${first}` : '', ''];
  }
  if (!isServed(info)) return ['', '', '', '', ''];
  const scope = info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster';
  return [info.group, info.version, info.resource, knownSubresources.has(info.subresource) ? info.subresource : '', scope];
}

const methods = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'options']);

/** The verb as metrics name it. */
export function metricVerbOf(info: RequestInfo, contentType: string | undefined): string {
  if (info.type === 'path') return methods.has(info.verb) ? info.verb.toUpperCase() : 'other'; // HTTP/2 takes any word for a method.
  if (['attach', 'exec', 'portforward', 'proxy'].includes(info.subresource) || info.verb === 'proxy') return 'CONNECT';
  if (info.verb === 'patch') return contentType?.startsWith('application/apply-patch') === true ? 'APPLY' : 'PATCH';
  const names: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT', '': 'other' };
  return names[info.verb] ?? info.verb.toUpperCase();
}

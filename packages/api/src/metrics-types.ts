import type { FactTable } from '@orrery/apimachinery';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const METRICS = 'io.k8s.metrics.pkg.apis.metrics.v1beta1';
const resources = { '*': 'io.k8s.apimachinery.pkg.api.resource.Quantity' } as const;
const own = {
  apiVersion: 'string',
  kind: 'string',
  metadata: `${META}.ObjectMeta`,
  timestamp: `${META}.Time`,
  window: `${META}.Duration`,
};

/** The types of metrics.k8s.io, which is no part of Kubernetes' own published tables. Source: k8s.io/metrics/pkg/apis/metrics/v1beta1. */
export const metricsTypes: FactTable = {
  [`${META}.Duration`]: { type: 'string' },
  [`${METRICS}.ContainerMetrics`]: { fields: { name: 'string', usage: resources }, required: ['name', 'usage'], type: 'object' },
  [`${METRICS}.NodeMetrics`]: {
    fields: { ...own, usage: resources },
    gvk: [['metrics.k8s.io', 'v1beta1', 'NodeMetrics']],
    required: ['timestamp', 'window', 'usage'],
    type: 'object',
  },
  [`${METRICS}.NodeMetricsList`]: listOf('NodeMetrics'),
  [`${METRICS}.PodMetrics`]: {
    fields: { ...own, containers: { t: [`${METRICS}.ContainerMetrics`], listType: 'atomic' } },
    gvk: [['metrics.k8s.io', 'v1beta1', 'PodMetrics']],
    required: ['timestamp', 'window', 'containers'],
    type: 'object',
  },
  [`${METRICS}.PodMetricsList`]: listOf('PodMetrics'),
};

function listOf(kind: string): FactTable[string] {
  return {
    fields: { apiVersion: 'string', items: [`${METRICS}.${kind}`], kind: 'string', metadata: `${META}.ListMeta` },
    gvk: [['metrics.k8s.io', 'v1beta1', `${kind}List`]],
    required: ['items'],
    type: 'object',
  };
}

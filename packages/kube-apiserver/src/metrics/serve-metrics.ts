import type { RunningHandler } from '@orrery/apiserver';
import type { Clock } from '@orrery/base';
import type { Client } from '@orrery/client';
import type { ConnectContext } from '../connect/node-connection.ts';
import { newMetricsDefinitions } from './definitions.ts';
import { newKubeletSummaries } from './kubelet-summaries.ts';

/** Serves metrics.k8s.io from now on: it is in discovery, and what reads it (`kubectl top`, autoscalers) finds it. */
export function serveMetrics(handler: RunningHandler, context: ConnectContext & { readonly client: Client }, clock: Clock): void {
  const summaries = newKubeletSummaries(context, clock);
  for (const definition of newMetricsDefinitions({ client: context.client, summaries, clock })) handler.registry.add(definition);
}

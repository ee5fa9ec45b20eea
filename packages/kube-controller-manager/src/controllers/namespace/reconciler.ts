import { namespaces } from '@orrery/api';
import type { Namespace } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import { type DiscoveredApi, type DiscoveredResource, type Discovery, retryOnConflict } from '@orrery/client';
import type { Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { type DeletionFindings, discoveryFailureText, namespaceConditions } from './conditions.ts';
import { type ContentReport, type ContentScope, deleteContent, isPods } from './content.ts';

/** The finalizer in `spec.finalizers` that keeps a namespace until it is empty. */
const FINALIZER = 'kubernetes';

/** Empties namespaces that are being deleted, then lets them go. Source: namespacedResourcesDeleter. */
export function newNamespaceReconciler(context: ControllerContext, discovery: Discovery): Reconciler {
  const { clock, config } = context;
  return {
    async reconcile({ name }, signal) {
      const namespace = await live(context, name, signal);
      if (namespace === undefined || !isHeld(namespace)) return {};
      let findings = await empty(context, discovery, namespace, signal);
      if (isEmpty(findings)) {
        // What was admitted just before the deletion may be written just after the first look: look again.
        await clock.sleep(config.namespaceSettleMs, signal);
        findings = await empty(context, discovery, namespace, signal);
      }
      const failures = [...findings.contentFailures, findings.discoveryFailure].filter((failure) => failure !== undefined);
      if (failures.length > 0) throw new Error(failures.join('; '));
      if (!isEmpty(findings)) return { requeueAfterMs: waitMs(findings, ageMs(context, namespace)) };
      await release(context, namespace, signal);
      return {};
    },
  };
}

const isHeld = ({ metadata, spec }: Namespace): boolean =>
  metadata.deletionTimestamp !== undefined && spec?.finalizers?.includes(FINALIZER) === true;

const isEmpty = ({ discoveryFailure, contentFailures, reports }: DeletionFindings): boolean =>
  discoveryFailure === undefined && contentFailures.length === 0 && reports.every(({ estimateSeconds }) => estimateSeconds === 0);

const ageMs = ({ clock }: ControllerContext, { metadata }: Namespace): number => clock.now() - Date.parse(metadata.deletionTimestamp ?? '');

/** As upstream, half of what it may take and a second; but young deletions, which mostly end soon, are looked at more often. */
function waitMs({ reports }: DeletionFindings, age: number): number {
  const estimate = Math.max(...reports.map(({ estimateSeconds }) => estimateSeconds));
  return Math.min((Math.floor(estimate / 2) + 1) * 1000, Math.max(1000, age / 2));
}

/** From the server: others write namespaces that are going, too. */
async function live({ client }: ControllerContext, name: string, signal: AbortSignal): Promise<Namespace | undefined> {
  try {
    return await client.get(namespaces, { name }, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** One attempt. Failures are findings: what can be deleted is. */
async function empty(
  context: ControllerContext,
  discovery: Discovery,
  namespace: Namespace,
  signal: AbortSignal,
): Promise<DeletionFindings> {
  const scope = { namespace: namespace.metadata.name, ageSeconds: ageMs(context, namespace) / 1000, signal };
  const { api, failure } = await discover(discovery, signal);
  const deletable = api.resources.filter(({ preferred, namespaced, verbs }) => preferred && namespaced && verbs.includes('delete'));
  const pods = await deleteAll(context, deletable.filter(isPods), scope);
  // Pods first: what they need while they end, as network policies and secrets, stays until they are gone (KEP-5080).
  const isWaiting = pods.reports.some(({ remaining }) => remaining > 0);
  const others = isWaiting
    ? { reports: [], failures: [] }
    : await deleteAll(
        context,
        deletable.filter((resource) => !isPods(resource)),
        scope,
      );
  const findings = {
    discoveryFailure: failure,
    contentFailures: [...pods.failures, ...others.failures],
    reports: [...pods.reports, ...others.reports],
  };
  await writeConditions(context, namespace, findings, signal);
  return findings;
}

const nothing: DiscoveredApi = { resources: [], failures: new Map() };

async function discover(discovery: Discovery, signal: AbortSignal) {
  try {
    const api = await discovery.read(signal);
    return { api, failure: discoveryFailureText(api.failures) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { api: nothing, failure: textOf(error) };
  }
}

async function deleteAll({ client }: ControllerContext, resources: readonly DiscoveredResource[], scope: ContentScope) {
  const reports: ContentReport[] = [];
  const failures: string[] = [];
  const attempt = async (resource: DiscoveredResource): Promise<void> => {
    try {
      const report = await deleteContent(client, resource, scope);
      reports.push(report);
      if (report.failure !== undefined) failures.push(report.failure);
    } catch (error) {
      if (scope.signal.aborted) throw error;
      failures.push(textOf(error));
    }
  };
  await Promise.all(resources.map(attempt));
  return { reports, failures };
}

/** Says in the status how it went. Gives way when the namespace is gone meanwhile. */
async function writeConditions(
  context: ControllerContext,
  { metadata: { name, uid } }: Namespace,
  findings: DeletionFindings,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock } = context;
  await change(context, name, uid, signal, async (current) => {
    const conditions = namespaceConditions(current.status?.conditions, findings, clock.now());
    if (conditions === current.status?.conditions) return;
    await client.updateStatus(namespaces, { ...current, status: { ...current.status, phase: 'Terminating', conditions } }, { signal });
  });
}

/** Takes our finalizer off: with it goes the namespace, unless others hold it. */
async function release(context: ControllerContext, { metadata: { name, uid } }: Namespace, signal: AbortSignal): Promise<void> {
  await change(context, name, uid, signal, async (current) => {
    const finalizers = (current.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    await context.client.update(namespaces, { ...current, spec: { ...current.spec, finalizers } }, { subresource: 'finalize', signal });
  });
}

/** Reads the namespace and writes it, again while others write it too. Does nothing when it is gone, or another one. */
async function change(
  context: ControllerContext,
  name: string,
  uid: string,
  signal: AbortSignal,
  write: (current: Namespace) => Promise<void>,
): Promise<void> {
  const { clock } = context;
  await retryOnConflict(
    async () => {
      const current = await live(context, name, signal);
      if (current === undefined || current.metadata.uid !== uid || !isHeld(current)) return;
      try {
        await write(current);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
    { clock, signal },
  );
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

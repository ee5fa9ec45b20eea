import type { NamespaceCondition } from '@orrery/api/core/v1';
import { setCondition } from '@orrery/client';
import type { ContentReport } from './content.ts';

/** What one attempt to empty a namespace has found. */
export interface DeletionFindings {
  /** Text for discovery that failed, whole or in part. */
  readonly discoveryFailure?: string | undefined;
  /** Failures to delete contents. */
  readonly contentFailures: readonly string[];
  readonly reports: readonly ContentReport[];
}

type Outcome = Pick<NamespaceCondition, 'status' | 'reason' | 'message'>;

const fine = (reason: string, message: string): Outcome => ({ status: 'False', reason, message });
const wrong = (reason: string, message: string): Outcome => ({ status: 'True', reason, message });

/**
 * The namespace's conditions after an attempt; `known` itself when nothing changes.
 * Types, reasons and messages are those that people and scripts look for. Source: namespaceConditionUpdater.
 */
export function namespaceConditions(
  known: readonly NamespaceCondition[] | undefined,
  findings: DeletionFindings,
  nowMs: number,
): readonly NamespaceCondition[] {
  const outcomes: Readonly<Record<string, Outcome>> = {
    NamespaceDeletionDiscoveryFailure:
      findings.discoveryFailure === undefined
        ? fine('ResourcesDiscovered', 'All resources successfully discovered')
        : wrong('DiscoveryFailed', findings.discoveryFailure),
    NamespaceDeletionGroupVersionParsingFailure: fine('ParsedGroupVersions', 'All legacy kube types successfully parsed'),
    NamespaceDeletionContentFailure: contentFailure(findings.contentFailures),
    NamespaceContentRemaining: contentRemaining(findings.reports),
    NamespaceFinalizersRemaining: finalizersRemaining(findings.reports),
  };
  return Object.entries(outcomes).reduce<readonly NamespaceCondition[]>(
    (conditions, [type, outcome]) => setCondition(conditions, { type, ...outcome }, nowMs),
    known ?? [],
  );
}

function contentFailure(failures: readonly string[]): Outcome {
  if (failures.length === 0) return fine('ContentDeleted', 'All content successfully deleted, may be waiting on finalization');
  const text = [...failures].sort().join(', ');
  return wrong('ContentDeletionFailed', `Failed to delete all resource types, ${failures.length} remaining: ${text}`);
}

function contentRemaining(reports: readonly ContentReport[]): Outcome {
  const texts = reports
    .filter(({ remaining }) => remaining > 0)
    // Written as upstream does: the core group leaves its dot behind.
    .map(({ resource, remaining }) => `${resource.resource}.${resource.group} has ${remaining} resource instances`);
  if (texts.length === 0) return fine('ContentRemoved', 'All content successfully removed');
  return wrong('SomeResourcesRemain', `Some resources are remaining: ${texts.sort().join(', ')}`);
}

function finalizersRemaining(reports: readonly ContentReport[]): Outcome {
  const totals = new Map<string, number>();
  for (const { finalizers } of reports) {
    for (const [finalizer, count] of finalizers) totals.set(finalizer, (totals.get(finalizer) ?? 0) + count);
  }
  if (totals.size === 0) return fine('ContentHasNoFinalizers', 'All content-preserving finalizers finished');
  const texts = [...totals].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).sort();
  return wrong('SomeFinalizersRemain', `Some content in the namespace has finalizers remaining: ${texts.join(', ')}`);
}

/** The text for versions whose resources could not be learnt. */
export function discoveryFailureText(failures: ReadonlyMap<string, Error>): string | undefined {
  if (failures.size === 0) return undefined;
  const texts = [...failures].map(([groupVersion, { message }]) => `${groupVersion}: ${message}`).sort();
  const cause = `unable to retrieve the complete list of server APIs: ${texts.join(', ')}`;
  return `Discovery failed for some groups, ${failures.size} failing: ${cause}`;
}

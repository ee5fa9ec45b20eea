import { StatusError } from '../errors/status-error.ts';
import type { StatusCause } from '../generated/meta-v1.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, hasPath, intersectSets, isEmptySet, pathsOf } from './field-set.ts';
import { printPath } from './list-elements.ts';
import type { FieldManager, FieldManagers } from './manager-entries.ts';

/** Fields of one other owner that an apply would change. */
export interface ApplyConflict {
  readonly owner: FieldManager;
  readonly fields: FieldSet;
}

/** What an apply that changes these fields takes from owners other than `except`. */
export function findConflicts(managers: FieldManagers, changed: FieldSet, except: string): ApplyConflict[] {
  const conflicts: ApplyConflict[] = [];
  for (const [id, owner] of [...managers].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const fields = id === except ? emptySet : intersectSets(owner.fields, changed);
    if (!isEmptySet(fields)) conflicts.push({ owner, fields });
  }
  return conflicts;
}

/** Conflicting paths that `allowed` does not hold. */
export const conflictsBeyond = (conflicts: readonly ApplyConflict[], allowed: FieldSet): boolean =>
  conflicts.some(({ fields }) => [...pathsOf(fields)].some((path) => !hasPath(allowed, path)));

/** The 409 that tells an applier whose fields it would take. @param allowed - Paths that are not told. Source: NewConflictError. */
export function applyConflictError(conflicts: readonly ApplyConflict[], allowed: FieldSet = emptySet): StatusError {
  const told = conflicts
    .map(({ owner, fields }) => ({
      owner: ownerText(owner),
      paths: [...pathsOf(fields)].filter((path) => !hasPath(allowed, path)).map(printPath),
    }))
    .filter(({ paths }) => paths.length > 0);
  const causes = told.flatMap(({ owner, paths }) =>
    paths.map((field): StatusCause => ({ reason: 'FieldManagerConflict', message: `conflict with ${owner}`, field })),
  );
  return new StatusError('Conflict', messageOf(told, causes), { causes });
}

function messageOf(told: readonly { readonly owner: string; readonly paths: readonly string[] }[], causes: readonly StatusCause[]): string {
  const [only] = causes;
  if (causes.length === 1) return `Apply failed with 1 conflict: ${only?.message}: ${only?.field}`;
  const lines = told.flatMap(({ owner, paths }) => [`conflicts with ${owner}:`, ...paths.map((path) => `- ${path}`)]);
  return `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`;
}

function ownerText({ name, operation, apiVersion, subresource }: FieldManager): string {
  const text = `${JSON.stringify(name)}${subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`}`;
  return operation === 'Update' ? `${text} using ${apiVersion}` : text;
}

import type { PodSpec, Volume } from '@orrery/api/core/v1';
import { duplicate, type FieldError, forbidden, invalid, isDns1123Label, type ObjectMeta, required } from '@orrery/apimachinery';
import { check, each } from '../../validate.ts';
import { volumeSourceRules } from './validate-volume-sources.ts';

/**
 * Rules of a pod's volumes, and the volumes that keep them: mounts of others are not found. Source: ValidateVolumes.
 * @param metadata - The pod's; undefined for templates.
 */
export function validateVolumes(
  spec: PodSpec,
  metadata: ObjectMeta | undefined,
  field: string,
): { readonly volumes: ReadonlyMap<string, Volume>; readonly errors: FieldError[] } {
  const volumes = new Map<string, Volume>();
  const created = claimsOf(spec, metadata);
  const errors = each(field, spec.volumes, (volume, path) => {
    const name = volume.name ?? '';
    const found = [
      ...validateSource(volume, path),
      ...(name === '' ? [required(`${path}.name`)] : check(`${path}.name`, name, isDns1123Label)),
    ];
    if (volumes.has(name)) found.push(duplicate(`${path}.name`, name));
    if (found.length === 0) volumes.set(name, volume);
    return [...found, ...validateClaim(volume, created, path)];
  });
  if (metadata !== undefined && !spec.serviceAccountName) errors.push(...forbidTokens(spec, field));
  return { volumes, errors };
}

/** Claims that are made for the pod's own ephemeral volumes, once its name is known. */
function claimsOf({ volumes }: PodSpec, metadata: ObjectMeta | undefined): ReadonlySet<string> {
  if (!metadata?.name) return new Set();
  return new Set((volumes ?? []).filter(({ ephemeral }) => ephemeral).map(({ name }) => `${metadata.name}-${name}`));
}

function validateClaim({ persistentVolumeClaim: claim }: Volume, created: ReadonlySet<string>, field: string): FieldError[] {
  if (!claim || !created.has(claim.claimName)) return [];
  const reason = 'must not reference a PVC that gets created for an ephemeral volume';
  return [invalid(`${field}.persistentVolumeClaim.claimName`, claim.claimName, reason)];
}

function validateSource(volume: Volume, field: string): FieldError[] {
  const errors: FieldError[] = [];
  let found = false;
  for (const [key, rule] of volumeSourceRules) {
    const source = volume[key];
    if (source === undefined || source === null) continue;
    if (found) errors.push(forbidden(`${field}.${key}`, 'may not specify more than 1 volume type'));
    else errors.push(...rule(source, `${field}.${key}`));
    found = true;
  }
  return found ? errors : [required(field, 'must specify a volume type')];
}

function forbidTokens(spec: PodSpec, field: string): FieldError[] {
  return each(field, spec.volumes, ({ projected }, path) =>
    each(`${path}.projected.sources`, projected?.sources, ({ serviceAccountToken }, source) =>
      serviceAccountToken ? [forbidden(`${source}.serviceAccountToken`, 'must not be specified when serviceAccountName is not set')] : [],
    ),
  );
}

import { createHash } from 'node:crypto';
import type { Deployment, ReplicaSet } from '@orrery/api/apps/v1';
import type { PodTemplateSpec } from '@orrery/api/core/v1';
import { equalJson, type Json } from '@orrery/apimachinery';
import { POD_TEMPLATE_HASH } from './annotations.ts';
import { byCreation } from './bounds.ts';

/** Letters and digits that make no words and look unlike each other. Source: rand.SafeEncodeString. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Names a template's pods: equal for equal templates, other for another `collisionCount`. Ten letters, as a label value. */
export function templateHash(template: PodTemplateSpec, collisionCount: number): string {
  const digest = createHash('sha256')
    .update(stableJson(template as Json))
    .update(collisionCount === 0 ? '' : `#${collisionCount}`)
    .digest();
  return Array.from(digest.subarray(0, 10), (byte) => alphabet[byte % alphabet.length]).join('');
}

/** JSON with sorted keys: what stands in the store does not depend on the order in which it was written. */
function stableJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${stableJson(child)}`).join(',')}}`;
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [POD_TEMPLATE_HASH]: _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

export const equalTemplates = (a: PodTemplateSpec, b: PodTemplateSpec): boolean =>
  equalJson(withoutHash(a) as Json, withoutHash(b) as Json);

/** The replica set that has the deployment's template: the oldest, should there be several. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets]
    .sort(byCreation)
    .find((set) => set.spec.template !== undefined && equalTemplates(set.spec.template, deployment.spec.template));
}

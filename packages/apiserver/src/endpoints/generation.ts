import { type Draft, fieldsOf, type KubeObject } from '@orrery/apimachinery';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { jsonEqual } from './json-equal.ts';

/** Whether objects of this resource count the changes of what is desired in `metadata.generation`. */
export function hasGeneration({ definition, schema }: ResourceEndpoint): boolean {
  const { strategy } = definition;
  if (strategy.generationOf !== undefined) return true;
  return (strategy.generation ?? (schema.fields.has('spec') ? 'spec' : 'none')) === 'spec';
}

/** Sets the generation of a changed object: the old one, or one more where what counts has changed. */
export function carryGeneration(endpoint: ResourceEndpoint, draft: Draft<KubeObject>, old: KubeObject): void {
  const { strategy } = endpoint.definition;
  if (!hasGeneration(endpoint)) {
    keepGeneration(draft, old);
    return;
  }
  const counted = (object: KubeObject): unknown => strategy.generationOf?.(object) ?? fieldsOf(object)['spec'];
  const changed = !jsonEqual(counted(draft as KubeObject), counted(old));
  draft.metadata.generation = (old.metadata.generation ?? 0) + (changed ? 1 : 0);
}

export function keepGeneration(draft: Draft<KubeObject>, old: KubeObject): void {
  if (old.metadata.generation === undefined) delete draft.metadata.generation;
  else draft.metadata.generation = old.metadata.generation;
}

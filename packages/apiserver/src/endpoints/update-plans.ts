import { type Draft, fieldsOf, type KubeObject, newNotFound } from '@orrery/apimachinery';
import type { PartialUpdate, StrategyContext } from '../definition.ts';
import { own } from './own.ts';
import type { UpdatePlan } from './update-loop.ts';
import type { WriteRequest } from './write-request.ts';

export type PlanRules = Pick<UpdatePlan, 'prepare' | 'validate' | 'warnings' | 'keepsGeneration'>;

/** The rules of what the request writes: the object, its status, or another part of it. @throws StatusError NotFound - No such part. */
export function rulesOf(request: WriteRequest): PlanRules {
  const { definition } = request.endpoint;
  if (request.subresource === '' || request.subresource === 'scale') return mainRules(request);
  if (request.subresource === 'status' && definition.status !== undefined) return statusRules(definition.status, request.context);
  const partial = own(definition.partials, request.subresource);
  if (partial === undefined) throw newNotFound(request.endpoint.groupResource, request.name);
  return partialRules(partial, request.context);
}

function mainRules({ endpoint, context }: WriteRequest): PlanRules {
  const { strategy, status } = endpoint.definition;
  return {
    prepare(draft, old) {
      if (status !== undefined) take(draft, old, 'status');
      strategy.prepareForUpdate?.(draft, old, context);
    },
    validate: (object, old) => strategy.validateUpdate?.(object, old, context) ?? [],
    warnings: (object, old) => strategy.warnings?.(object, old, context) ?? [],
  };
}

/** Everything but status and metadata stays as stored; the generation too, also where it counts annotations. */
function statusRules(status: PartialUpdate<KubeObject>, context: StrategyContext): PlanRules {
  const rules = partialRules(status, context);
  return {
    ...rules,
    keepsGeneration: true,
    prepare(draft, old) {
      for (const field of new Set([...Object.keys(draft), ...Object.keys(old)])) {
        if (field !== 'status' && field !== 'metadata') take(draft, old, field);
      }
      rules.prepare(draft, old);
    },
  };
}

/** The part's own `prepareForUpdate` says what stays. */
function partialRules(part: PartialUpdate<KubeObject>, context: StrategyContext): PlanRules {
  return {
    prepare(draft, old) {
      part.default?.(draft);
      part.prepareForUpdate?.(draft, old, context);
    },
    validate: (object, old) => part.validateUpdate?.(object, old, context) ?? [],
    warnings: () => [],
  };
}

/** `draft[field] = old[field]`, shared: stored values are replaced, never changed. */
function take(draft: Draft<KubeObject>, old: KubeObject, field: string): void {
  const fields = draft as unknown as Record<string, unknown>;
  const value = fieldsOf(old)[field];
  if (value === undefined) delete fields[field];
  else fields[field] = value;
}

import type { SuccessPolicy } from '@orrery/api/batch/v1';
import { countCommon, countIndexes, type Intervals, parseIntervals } from './index-intervals.ts';

/** Why the job has succeeded by its success policy; undefined while no rule holds. Source: KEP-3998, matchSuccessPolicy. */
export function metSuccessRule(policy: SuccessPolicy | undefined, completions: number, succeeded: Intervals): string | undefined {
  if (succeeded.length === 0) return undefined;
  const index = (policy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount;
    const required = parseIntervals(succeededIndexes, completions);
    if (required.length === 0) return false;
    const common = countCommon(required, succeeded);
    return common === countIndexes(required) || (succeededCount !== undefined && common >= succeededCount);
  });
  return index < 0 ? undefined : `Matched rules at index ${index}`;
}

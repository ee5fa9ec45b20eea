import type { PodSpec } from '@orrery/api/core/v1';
import { compareQuantity } from '@orrery/apimachinery';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';
type Amounts = Readonly<Record<string, string>>;

const computed = ['cpu', 'memory'] as const;
const present = (amounts: Amounts | undefined, name: string): string | undefined => {
  const value = amounts?.[name];
  return value !== undefined && compareQuantity(value, '0') > 0 ? value : undefined;
};

/** How well a pod is kept under pressure, from what it asks for in cpu and memory. Source: qos.ComputePodQOS. */
export function qosClassOf(spec: PodSpec): QosClass {
  const all = podLevel(spec) ?? [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => resources ?? {});
  const asks = all.some(({ requests, limits }) => computed.some((name) => present(requests, name) ?? present(limits, name)));
  if (!asks) return 'BestEffort';
  const guaranteed = all.every(({ requests, limits }) =>
    computed.every((name) => {
      const limit = present(limits, name);
      const request = requests?.[name];
      return limit !== undefined && (request === undefined || compareQuantity(request, limit) === 0);
    }),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

function podLevel({ resources }: PodSpec): readonly { readonly requests?: Amounts; readonly limits?: Amounts }[] | undefined {
  if (resources === undefined || resources === null) return undefined;
  const set = Object.keys(resources.requests ?? {}).length > 0 || Object.keys(resources.limits ?? {}).length > 0;
  return set ? [resources] : undefined;
}

import type { Container, Pod } from '@orrery/api/core/v1';
import { isSidecar } from '../pod/container-spec.ts';

const sorted = (amounts: Readonly<Record<string, string>> | undefined): object =>
  amounts === undefined ? {} : Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)));

function summary({ name, resources = {} }: Container): object {
  const { limits, requests } = resources;
  return {
    name,
    resources: {
      ...(limits === undefined ? {} : { limits: sorted(limits) }),
      ...(requests === undefined ? {} : { requests: sorted(requests) }),
    },
  };
}

/** What an event says of a resize. @param what - As `started`, `Deferred`. Source: events.podResizeMessage. */
export function resizeMessage(what: string, pod: Pod, generation: number, error?: string): string {
  const initContainers = (pod.spec.initContainers ?? []).filter(isSidecar).map(summary);
  const text = JSON.stringify({
    ...(initContainers.length === 0 ? {} : { initContainers }),
    containers: pod.spec.containers.map(summary),
    generation,
    ...(error === undefined ? {} : { error }),
  });
  return `Pod resize ${what}: ${text}`;
}

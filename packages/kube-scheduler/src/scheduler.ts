import { nodes, pods } from '@orrery/api';
import type { Node, Pod } from '@orrery/api/core/v1';
import { keyOf, quantityMilliValue, quantityValue } from '@orrery/apimachinery';
import { aborted, type Clock, type Random } from '@orrery/base';
import { byNodeName, type Client, type InformerFactory, isPodTerminal, newEventRecorder, nodeNameIndex } from '@orrery/client';
import { type Logger, type MetricsRegistry, silentLogger } from '@orrery/component';

export interface SchedulerOptions {
  readonly client: Client;
  /** May be shared with other components; run by whoever made it. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  /** @default silent */
  readonly log?: Logger;
  readonly metrics?: MetricsRegistry;
}

export interface Scheduler {
  /** Schedules until `signal` aborts; rejects when the scheduler itself fails. */
  run(signal: AbortSignal): Promise<void>;
}

/** Binds each pod to the first node with room. */
export function newScheduler({ client, informers, clock, random, log = silentLogger }: SchedulerOptions): Scheduler {
  const podInformer = informers.informer<Pod>(pods, { indexers: { [nodeNameIndex]: byNodeName } });
  const nodeInformer = informers.informer<Node>(nodes);
  const assumed = new Map<string, { readonly pod: Pod; readonly nodeName: string }>();
  const fits = (pod: Pod, node: Node): boolean => {
    if (node.spec.unschedulable === true) return false;
    const tolerations = pod.spec.tolerations ?? [];
    const blocked = (node.spec.taints ?? []).some(
      (taint) => taint.effect !== 'PreferNoSchedule' && !tolerations.some(({ key }) => key === undefined || key === taint.key),
    );
    if (blocked) return false;
    const selector = Object.entries(pod.spec.nodeSelector ?? {});
    if (selector.some(([key, value]) => node.metadata.labels?.[key] !== value)) return false;
    const bound = podInformer.lister.byIndex(nodeNameIndex, node.metadata.name).filter((other) => !isPodTerminal(other));
    const keys = new Set(bound.map(keyOf));
    const others = [...assumed.values()].filter((other) => other.nodeName === node.metadata.name && !keys.has(keyOf(other.pod)));
    const all = [...bound, ...others.map((other) => other.pod), pod];
    const { allocatable = {} } = node.status;
    if (all.length > quantityValue(allocatable['pods'] ?? '0')) return false;
    return ['cpu', 'memory'].every((name) => {
      const asked = all
        .flatMap((each) => each.spec.containers)
        .reduce((sum, { resources }) => sum + quantityMilliValue(resources?.requests?.[name] ?? '0'), 0);
      return asked <= quantityMilliValue(allocatable[name] ?? '0');
    });
  };
  return {
    async run(signal) {
      const events = newEventRecorder({ client, clock, random, component: 'default-scheduler', log });
      try {
        await Promise.all([podInformer.waitForSync(signal), nodeInformer.waitForSync(signal)]);
      } catch (error) {
        await events.close();
        if (signal.aborted) return;
        throw error;
      }
      const schedule = async (pod: Pod): Promise<void> => {
        const node = nodeInformer.lister.list().find((candidate) => fits(pod, candidate));
        if (node === undefined) return;
        const { name } = node.metadata;
        assumed.set(keyOf(pod), { pod, nodeName: name });
        const { namespace = '' } = pod.metadata;
        const body = {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: pod.metadata.name, namespace },
          target: { kind: 'Node', name },
        };
        try {
          await client.createSubresource(pods, { namespace, name: pod.metadata.name }, 'binding', body, { signal });
          events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${name}`, { action: 'Binding' });
        } catch (error) {
          assumed.delete(keyOf(pod));
          if (!signal.aborted) log.warn('binding failed', { pod: keyOf(pod), error });
        }
      };
      const scheduleAll = (): void => {
        for (const pod of podInformer.lister.byIndex(nodeNameIndex, '')) {
          const isMine = pod.spec.schedulerName === 'default-scheduler' && pod.metadata.deletionTimestamp === undefined;
          if (isMine && !isPodTerminal(pod) && !assumed.has(keyOf(pod)) && !(pod.spec.schedulingGates?.length ?? 0)) void schedule(pod);
        }
      };
      const registrations = [
        nodeInformer.addHandler({ onAdd: scheduleAll, onUpdate: scheduleAll }),
        podInformer.addHandler({
          onAdd: scheduleAll,
          onUpdate: scheduleAll,
          onDelete(pod) {
            assumed.delete(keyOf(pod));
            scheduleAll();
          },
        }),
      ];
      await aborted(signal);
      for (const registration of registrations) registration.remove();
      await events.close();
    },
  };
}

import { pods, schemas } from '@orrery/api';
import type { Pod, PodStatus } from '@orrery/api/core/v1';
import { type JsonObject, strategicMergePatch } from '@orrery/apimachinery';
import { newVirtualClock } from '@orrery/base';
import { silentLogger } from '@orrery/component';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MemoryApi, newMemoryApi } from '../testing/memory-api.ts';
import { statusPatch } from './status-patch.ts';
import { newStatusWriter } from './status-writer.ts';

const apply = (before: PodStatus, patch: object): unknown =>
  (
    strategicMergePatch(schemas.struct('io.k8s.api.core.v1.Pod'), { status: before } as unknown as JsonObject, { status: patch }) as {
      status?: unknown;
    }
  ).status;

describe('statusPatch', () => {
  const condition = fc.record(
    {
      type: fc.constantFrom('Ready', 'Initialized', 'ContainersReady'),
      status: fc.constantFrom('True', 'False'),
      reason: fc.constantFrom('a', 'b'),
      message: fc.constantFrom('c', 'd'),
    },
    { requiredKeys: ['type', 'status'] },
  );
  const ips = fc.uniqueArray(fc.record({ ip: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd::1') }), {
    selector: ({ ip }) => ip,
    maxLength: 2,
  });
  const status = fc.record(
    {
      phase: fc.constantFrom('Pending', 'Running', 'Failed'),
      reason: fc.constantFrom('r', 's'),
      message: fc.constantFrom('m', 'n'),
      podIP: fc.constantFrom('10.0.0.1', '10.0.0.2'),
      podIPs: ips,
      conditions: fc
        .constant(undefined)
        .chain(() => fc.uniqueArray(condition, { selector: ({ type }) => type, minLength: 3, maxLength: 3 })),
    },
    { requiredKeys: ['phase', 'conditions'] },
  );
  const sorted = (value: unknown): unknown => {
    const { conditions = [], podIPs, ...rest } = value as PodStatus;
    const byType = [...conditions].sort((a, b) => (a.type < b.type ? -1 : 1));
    const byIp = [...(podIPs ?? [])].sort((a, b) => ((a.ip ?? '') < (b.ip ?? '') ? -1 : 1));
    return { ...rest, conditions: byType, ...(byIp.length === 0 ? {} : { podIPs: byIp }) };
  };

  test('turns any status into any other', () => {
    fc.assert(
      fc.property(status, status, (before, after) => {
        expect(sorted(apply(before, statusPatch(before, after)))).toEqual(sorted(after));
      }),
    );
  });

  test('leaves what others own', () => {
    const before: PodStatus = {
      phase: 'Pending',
      qosClass: 'Burstable',
      nominatedNodeName: 'n',
      conditions: [
        { type: 'Gate', status: 'True' },
        { type: 'Ready', status: 'False', reason: 'x' },
      ],
    };
    const patch = statusPatch(before, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
    expect(patch).toEqual({ phase: 'Running', conditions: [{ type: 'Ready', status: 'True', reason: null }] });
  });
});

describe('newStatusWriter', () => {
  async function setup() {
    const clock = newVirtualClock();
    const api = newMemoryApi(clock);
    const pod = await api.client.create<Pod>(pods, { metadata: { name: 'p', namespace: 'd' }, spec: { containers: [] } });
    return { clock, api, pod, writer: newStatusWriter({ client: api.client, clock, log: silentLogger }) };
  }
  const phase = (api: MemoryApi): string | undefined => api.get<Pod>('pods', 'p')?.status?.phase;

  test('a delayed status that is replaced is never written', async () => {
    const { clock, api, pod, writer } = await setup();
    writer.set(pod, { phase: 'Pending' }, 50);
    writer.set(pod, { phase: 'Running' });
    await writer.flushed(pod.metadata.uid);
    await clock.advance(1000);
    expect(phase(api)).toBe('Running');
    expect(api.calls.get('patch pods/status')).toBe(1);
  });

  test('a delayed status that stays is written', async () => {
    const { clock, api, pod, writer } = await setup();
    writer.set(pod, { phase: 'Pending' }, 50);
    await clock.advance(60);
    expect(phase(api)).toBe('Pending');
  });

  test('the same status is written once', async () => {
    const { api, pod, writer } = await setup();
    for (let round = 0; round < 3; round += 1) {
      writer.set(pod, { phase: 'Running', conditions: [] });
      await writer.flushed(pod.metadata.uid);
    }
    expect(api.calls.get('patch pods/status')).toBe(1);
  });

  test('a pod that is gone, or another of its name, ends the writing', async () => {
    const { api, pod, writer } = await setup();
    await api.client.delete(pods, { namespace: 'd', name: 'p' }, { gracePeriodSeconds: 0 });
    await api.client.create<Pod>(pods, { metadata: { name: 'p', namespace: 'd' }, spec: { containers: [] } });
    writer.set(pod, { phase: 'Failed' });
    await writer.flushed(pod.metadata.uid);
    expect(phase(api)).toBeUndefined();
  });

  test('what the API refuses is tried again', async () => {
    const { clock, api, pod } = await setup();
    let failures = 2;
    const client = {
      ...api.client,
      patch: (...args: Parameters<typeof api.client.patch>) => {
        failures -= 1;
        return failures >= 0 ? Promise.reject(new Error('unavailable')) : api.client.patch(...args);
      },
    } as typeof api.client;
    const writer = newStatusWriter({ client, clock, log: silentLogger });
    writer.set(pod, { phase: 'Running' });
    await clock.advance(2000);
    expect(phase(api)).toBe('Running');
  });
});

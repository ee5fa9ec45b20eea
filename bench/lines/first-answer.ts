import { endpointSlices, pods, services } from '@orrery/api';
import type { Pod, Service } from '@orrery/api/core/v1';
import type { NewObject } from '@orrery/apimachinery';
import type { Line } from '../line.ts';
import { busybox, clientOf, loadBusybox, namespace } from '../support/clusters.ts';
import { orreryUp, useOf } from '../support/orrery-up.ts';
import { nowMs } from '../support/timing.ts';

const PORT = 8080;

const server = {
  metadata: { namespace, name: 'server', labels: { app: 'server' } },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'c', image: busybox, command: ['httpd', '-f', '-p', String(PORT), '-h', '/etc'] }],
  },
} as unknown as NewObject<Pod>;

const service = {
  metadata: { namespace, name: 'server' },
  spec: { selector: { app: 'server' }, ports: [{ port: 80, targetPort: PORT, protocol: 'TCP' }] },
} as NewObject<Service>;

/** Asks until there is an answer: what is measured ends with its own end. */
const asker = {
  metadata: { namespace, name: 'asker' },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    restartPolicy: 'Never',
    containers: [{ name: 'c', image: busybox, command: ['sh', '-c', 'until wget -q -O - http://server/passwd; do usleep 20000; done'] }],
  },
} as NewObject<Pod>;

export const firstAnswerLine: Line = {
  name: 'first-answer',
  what: 'from `orrery up` on an empty disk to an answer of a pod that another pod reaches by the DNS name of a Service',
  method:
    'oci driver (needs root); the image is loaded from a file as soon as the API is ready; until a watch shows that the asking pod has succeeded; CPU time is that of the cluster’s process',
  figures: [
    { name: 'answered', unit: 'ms', reach: { atMost: 3000 } },
    { name: 'CPU until answered', unit: 'ms', reach: { atMost: 3000 } },
  ],
  runs: { full: 5, quick: 2 },
  timeoutMs: 60_000,
  async measure({ directory, signal }) {
    const startMs = nowMs();
    await using orrery = await orreryUp(directory, signal, ['--runtime', 'oci']);
    await using connected = await clientOf(orrery, signal);
    const { client } = connected;
    await loadBusybox(orrery, directory);
    await Promise.all([client.create<Service>(services, service), client.create<Pod>(pods, server), client.create<Pod>(pods, asker)]);
    for await (const events of client.watch<Pod>(pods, { namespace, fieldSelector: 'metadata.name=asker', signal })) {
      const phase = events.at(-1)?.object.status?.phase;
      if (phase === 'Failed') throw new Error(`the asking pod failed: ${JSON.stringify(events.at(-1)?.object.status)}`);
      if (phase === 'Succeeded') return { answered: [nowMs() - startMs], 'CPU until answered': [(await useOf(orrery.pid)).cpuMs] };
    }
    throw new Error(`the watch ended; slices: ${JSON.stringify(await client.list(endpointSlices, { namespace }))}`);
  },
};

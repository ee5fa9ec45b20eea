import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { busybox, type Json, shellPod, useContainers } from './fixture.ts';
import { serverPod } from './node-server.ts';

// What probes do to containers.
const suite = useContainers('node-probes');

const sleeps = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const every = { periodSeconds: 1, failureThreshold: 1 };
const get = (path: string, more: object = {}): object => ({ httpGet: { path, port: 'http' }, ...every, ...more });
const exec = (command: string, more: object = {}): object => ({ exec: { command: ['sh', '-c', command] }, ...every, ...more });
const server = (name: string, container: object): object => serverPod(name, { spec: serverSpec, container });
const serverSpec = {
  restartPolicy: 'Always',
  volumes: [
    { name: 'usr', hostPath: { path: '/usr' } },
    { name: 'node', hostPath: { path: process.execPath, type: 'File' } },
  ],
};
const always = (name: string, script: string, container: object, spec: object = {}): object =>
  shellPod(name, script, {
    spec: { restartPolicy: 'Always', ...spec, containers: [{ name: 'c', image: busybox, command: ['sh', '-c', script], ...container }] },
  });
const stubborn = 'trap "" TERM; while :; do sleep 0.1; done';
// A server may take its time to start on a busy machine.
const patient = { startupProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1, failureThreshold: 60 } };

beforeAll(async () => {
  await suite().create(
    server('well', {
      ...patient,
      livenessProbe: get('/healthz'),
      readinessProbe: { tcpSocket: { port: 8080 }, ...every },
    }),
    server('grpc', {
      ...patient,
      livenessProbe: { grpc: { port: 5000 }, ...every },
      readinessProbe: { grpc: { port: 5000, service: 'sick' }, ...every },
    }),
    server('grpc-wrong', { ...patient, livenessProbe: { grpc: { port: 2333 }, ...every } }),
    server('tcp', { ...patient, livenessProbe: { tcpSocket: { port: 8080 }, ...every }, env: [{ name: 'BAD_AFTER_MS', value: '1' }] }),
    server('sickens', { ...patient, livenessProbe: get('/healthz'), env: [{ name: 'BAD_AFTER_MS', value: '2000' }] }),
    server('redirect-here', { ...patient, livenessProbe: get('/redirect?loc=/healthz'), env: [{ name: 'BAD_AFTER_MS', value: '2000' }] }),
    server('redirect-away', { ...patient, livenessProbe: get('/redirect?loc=http%3A%2F%2F0.0.0.0%2Fhealthz') }),
    server('tls', {
      ...patient,
      livenessProbe: { httpGet: { path: '/healthz', port: 8443, scheme: 'HTTPS' }, ...every },
      readinessProbe: { httpGet: { path: '/', port: 8443, scheme: 'HTTPS' }, ...every },
    }),
    server('tls-sickens', {
      ...patient,
      livenessProbe: { httpGet: { path: '/healthz', port: 8443, scheme: 'HTTPS' }, ...every },
      env: [{ name: 'BAD_AFTER_MS', value: '2000' }],
    }),
    server('slow', { ...patient, livenessProbe: get('/slow', { timeoutSeconds: 1 }) }),
    always('file-stays', `echo ok > /tmp/health; ${sleeps}`, { livenessProbe: exec('cat /tmp/health', { initialDelaySeconds: 2 }) }),
    always('file-goes', 'echo ok > /tmp/health; sleep 2; rm /tmp/health; sleep 600', { livenessProbe: exec('cat /tmp/health') }),
    always('exec-slow', sleeps, { livenessProbe: exec('sleep 10', { timeoutSeconds: 1 }) }),
    always('late', sleeps, { readinessProbe: exec('true', { initialDelaySeconds: 4 }) }),
    always('never', sleeps, { readinessProbe: exec('false') }),
    always('starts', `sleep 3; echo > /tmp/up; ${sleeps}`, {
      startupProbe: exec('cat /tmp/up', { failureThreshold: 60 }),
      readinessProbe: exec('true'),
      livenessProbe: exec('cat /tmp/up'),
    }),
    always('never-starts', sleeps, { startupProbe: exec('false', { failureThreshold: 2 }), livenessProbe: exec('true') }),
    always(
      'own-grace',
      stubborn,
      { livenessProbe: exec('false', { terminationGracePeriodSeconds: 1 }) },
      { terminationGracePeriodSeconds: 500 },
    ),
    always(
      'own-startup-grace',
      stubborn,
      { startupProbe: exec('false', { terminationGracePeriodSeconds: 1 }) },
      { terminationGracePeriodSeconds: 500 },
    ),
  );
});

const statusOf = (pod: Json): Json | undefined => (pod['status']?.['containerStatuses'] as unknown as readonly Json[] | undefined)?.[0];
const restartsOf = (pod: Json): number => Number(statusOf(pod)?.['restartCount'] ?? 0);
const eventsOf = async (name: string): Promise<string> => {
  const { items } = await suite().get<{ items: { reason: string; message: string }[] }>(`events?fieldSelector=involvedObject.name=${name}`);
  return items.map(({ reason, message }) => `${reason} ${message}`).join('\n');
};
const restarted = (name: string, times = 1): Promise<Json> =>
  suite().pod(name, (pod) => restartsOf(pod) >= times, `restarted ${times} times`);
const ready = (pod: Json): Json | undefined =>
  ((pod['status']?.['conditions'] ?? []) as unknown as readonly Json[]).find((each) => `${each['type']}` === 'Ready');

describe('liveness', { timeout: 80_000 }, () => {
  test.each([
    ['sickens', /Liveness probe failed: HTTP probe failed with statuscode: 500/],
    ['tls-sickens', /Liveness probe failed: HTTP probe failed with statuscode: 500/],
    ['sickens', /Killing Container c failed liveness probe, will be restarted/],
    ['redirect-here', /Liveness probe failed: HTTP probe failed with statuscode: 500/],
    ['grpc-wrong', /Liveness probe failed: .*2333.*/],
    ['slow', /Liveness probe failed: Get "http:\/\/[\d.]+:8080\/slow": context deadline exceeded/],
    ['file-goes', /Liveness probe failed: cat: can't open '\/tmp\/health': No such file or directory/],
    ['exec-slow', /Liveness probe failed: command timed out: "sh -c sleep 10" timed out after 1s/],
  ])('%s: the container starts anew', async (name, told) => {
    await restarted(name);
    await eventually(async () => expect(await eventsOf(name)).toMatch(told));
  });

  test('again and again, and the count never falls', async () => {
    await restarted('sickens', 2);
    const found = await restarted('file-goes', 2);
    expect(statusOf(found)).toMatchObject({ lastState: { terminated: { exitCode: expect.any(Number), reason: expect.any(String) } } });
  });

  test("the grace of the probe goes before the pod's", async () => {
    for (const name of ['own-grace', 'own-startup-grace']) {
      expect(statusOf(await restarted(name))).toMatchObject({ lastState: { terminated: { exitCode: 137 } } });
    }
  });

  test.each(['well', 'tls', 'grpc', 'tcp', 'file-stays', 'redirect-away', 'late', 'never', 'starts'])(
    '%s: never restarted',
    async (name) => {
      const found = await suite().pod(name, (pod) => statusOf(pod)?.['state']?.['running'] !== undefined, 'running');
      expect(restartsOf(found)).toBe(0);
    },
  );

  test('a redirect elsewhere is only warned of', async () => {
    await eventually(async () =>
      expect(await eventsOf('redirect-away')).toContain('ProbeWarning Liveness probe warning: Probe terminated redirects'),
    );
  });
});

describe('readiness', () => {
  test('waits for the initial delay', async () => {
    const found = await suite().pod('late', (pod) => `${ready(pod)?.['status']}` === 'True', 'ready');
    const started = Date.parse(`${statusOf(found)?.['state']?.['running']?.['startedAt']}`);
    expect(Date.parse(`${ready(found)?.['lastTransitionTime']}`) - started).toBeGreaterThanOrEqual(3000); // Times are whole seconds.
  });

  test.each(['never', 'grpc'])('%s: not ready', async (name) => {
    const found = await suite().pod(
      name,
      (pod) => statusOf(pod)?.['started'] !== undefined && `${statusOf(pod)?.['started']}` === 'true',
      'started',
    );
    expect(statusOf(found)).toMatchObject({ ready: false });
    expect(ready(found)).toMatchObject({ status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [c]' });
  });

  test('of those that are well', async () => {
    await suite().ready('well', 'tls', 'tcp', 'file-stays');
    expect(await suite().logs('tls')).toContain('TLS GET /healthz kube-probe/1.36');
  });

  test('is counted with the others by the node', async () => {
    const node = `${(await suite().get('pods/well'))['spec']?.['nodeName']}`;
    await eventually(async () => {
      const { status, body } = await suite().ask(`/api/v1/nodes/${node}/proxy/metrics/probes`);
      expect(status).toBe(200);
      expect(body.toString()).toMatch(
        /^prober_probe_total\{container="c",namespace="node-probes",pod="well",pod_uid=".+",probe_type="Liveness",result="successful"\} \d+$/m,
      );
      expect(body.toString()).toMatch(/^prober_probe_total\{.*pod="never",.*probe_type="Readiness",result="failed"\} \d+$/m);
    });
  });
});

describe('startup', { timeout: 80_000 }, () => {
  test('holds the other probes back', async () => {
    const found = await suite().pod('starts', (pod) => `${ready(pod)?.['status']}` === 'True', 'ready');
    expect(statusOf(found)).toMatchObject({ started: true, restartCount: 0 });
    const started = Date.parse(`${statusOf(found)?.['state']?.['running']?.['startedAt']}`);
    expect(Date.parse(`${ready(found)?.['lastTransitionTime']}`) - started).toBeGreaterThanOrEqual(2000);
  });

  test('ends what does not start', async () => {
    await restarted('never-starts');
    await eventually(async () =>
      expect(await eventsOf('never-starts')).toContain('Killing Container c failed startup probe, will be restarted'),
    );
  });
});

import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { busybox, type Json, shellPod, useContainers } from './fixture.ts';
import { serverPod } from './node-server.ts';

// How containers start and end, and what is told of it.
const suite = useContainers('node-lifecycle');

const sleeps = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const shell = (name: string, script: string, more: object = {}): object => ({
  name,
  image: busybox,
  command: ['sh', '-c', script],
  ...more,
});
const exec = (script: string): object => ({ exec: { command: ['sh', '-c', script] } });
const message = (name: string, script: string, container: object): object => shellPod(name, script, { container });
const counted = `echo hello >> /data/f; count=$(wc -l < /data/f); if [ $count = 1 ]; then exit 1; fi; if [ $count = 2 ]; then exit 0; fi; ${sleeps}`;
const restarts = (restartPolicy: string): object =>
  shellPod(`restart-${restartPolicy.toLowerCase()}`, counted, {
    spec: { restartPolicy, volumes: [{ name: 'data', emptyDir: {} }] },
    container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
  });
const initPod = (name: string, restartPolicy: string, first: string): object =>
  shellPod(name, sleeps, {
    spec: {
      restartPolicy,
      initContainers: [shell('init-1', first), shell('init-2', 'echo two')],
      containers: [shell('main', restartPolicy === 'Always' ? sleeps : 'echo main')],
    },
  });

beforeAll(async () => {
  await suite().create(serverPod('server'));
  await suite().create(
    message('message-file', 'echo -n DONE > /dev/termination-log', {}),
    message('message-path', 'echo -n DONE > /dev/termination-custom-log', {
      terminationMessagePath: '/dev/termination-custom-log',
      securityContext: { runAsUser: 1000 },
    }),
    message('message-fallback', 'echo -n DONE; exit 1', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    message('message-fallback-file', 'echo noise; echo -n OK > /dev/termination-log', {
      terminationMessagePolicy: 'FallbackToLogsOnError',
    }),
    message('message-fallback-none', 'echo noise', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    message('message-long', 'yes x | head -c 5000 > /dev/termination-log', {}),
    message('message-log-long', 'seq 1000; exit 1', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    shellPod('exit-3', 'exit 3'),
    shellPod('too-much', 'head -c 200m /dev/zero | tail', { container: { resources: { limits: { memory: '16Mi' } } } }),
    shellPod('no-command', '', { container: { command: ['/no/such/command'] } }),
    shellPod('never-pull', '', { container: { image: 'docker.io/library/nowhere:1', imagePullPolicy: 'Never' } }),
    shellPod('bad-name', '', { container: { image: 'Bad Name' } }),
    restarts('Always'),
    restarts('OnFailure'),
    restarts('Never'),
    shellPod('crashes', 'echo before; exit 1', { spec: { restartPolicy: 'Always' } }),
    initPod('init-never', 'Never', 'echo one'),
    initPod('init-always', 'Always', 'echo one'),
    initPod('init-fails-never', 'Never', 'exit 1'),
    initPod('init-fails-always', 'Always', 'exit 1'),
    shellPod('sidecars', '', {
      spec: {
        terminationGracePeriodSeconds: 30,
        initContainers: [
          shell('side-1', 'trap "echo end; exit 0" TERM; while :; do sleep 0.1; done', {
            restartPolicy: 'Always',
            startupProbe: { exec: { command: ['true'] }, periodSeconds: 1, initialDelaySeconds: 2 },
          }),
          shell('between', 'echo between'),
          shell('side-2', 'trap "sleep 2; echo end; exit 0" TERM; while :; do sleep 0.1; done', { restartPolicy: 'Always' }),
        ],
        containers: [shell('main', 'sleep 3; echo end')],
      },
    }),
    shellPod('side-dies', sleeps, {
      spec: { restartPolicy: 'Never', initContainers: [shell('side', 'sleep 1; exit 1', { restartPolicy: 'Always' })] },
    }),
    shellPod('bad-hook', sleeps, { container: { lifecycle: { postStart: exec('echo secret; exit 4') } } }),
    shellPod('stubborn', 'trap "" TERM; while :; do sleep 0.1; done', { metadata: { finalizers: ['test.example/kept'] } }),
    shellPod('deadline', sleeps, { metadata: { labels: { app: 'deadline' } } }),
    shellPod('polite', 'trap "echo asked; sleep 1; exit 7" TERM; echo up; while :; do sleep 0.1; done', {
      metadata: { finalizers: ['test.example/kept'] },
      spec: { terminationGracePeriodSeconds: 30 },
      container: { lifecycle: { preStop: { sleep: { seconds: 1 } } } },
    }),
    ...['Guaranteed', 'Burstable', 'BestEffort'].map((each) =>
      shellPod(`qos-${each.toLowerCase()}`, 'true', {
        container: {
          resources:
            each === 'BestEffort'
              ? {}
              : { limits: { cpu: '100m', memory: '20Mi' }, requests: { cpu: each === 'Guaranteed' ? '100m' : '50m', memory: '20Mi' } },
        },
      }),
    ),
  );
});

const statuses = (pod: Json, list = 'containerStatuses'): readonly Json[] => (pod['status']?.[list] ?? []) as unknown as readonly Json[];
const ended = (name: string): Promise<Json> =>
  suite().pod(name, (pod) => ['Succeeded', 'Failed'].includes(`${pod['status']?.['phase']}`), 'done');
const condition = (pod: Json, type: string): Json | undefined =>
  ((pod['status']?.['conditions'] ?? []) as unknown as readonly Json[]).find((each) => `${each['type']}` === type);
const eventsOf = async (name: string): Promise<string[]> => {
  const { items } = await suite().get<{ items: { reason: string; message: string }[] }>(`events?fieldSelector=involvedObject.name=${name}`);
  return items.map(({ reason, message: text }) => `${reason} ${text}`);
};

describe('termination messages', () => {
  test.each([
    ['message-file', 'DONE'],
    ['message-path', 'DONE'],
    ['message-fallback', 'DONE'],
    ['message-fallback-file', 'OK'],
    ['message-fallback-none', undefined],
    ['message-long', 'x\n'.repeat(2048)],
    ['message-log-long', `${Array.from({ length: 80 }, (_, index) => index + 921).join('\n')}\n`],
  ])('%s', async (name, expected) => {
    expect(statuses(await ended(name))[0]?.['state']?.['terminated']?.['message']).toBe(expected);
  });
});

describe('ends', () => {
  test.each([
    ['message-file', 'Succeeded', 'Completed', 0],
    ['exit-3', 'Failed', 'Error', 3],
    ['too-much', 'Failed', 'OOMKilled', 137],
    ['no-command', 'Failed', 'StartError', 128],
  ])('%s', async (name, phase, reason, exitCode) => {
    const found = await ended(name);
    expect(found).toMatchObject({ status: { phase, containerStatuses: [{ ready: false, state: { terminated: { reason, exitCode } } }] } });
    expect(statuses(found)[0]?.['state']?.['terminated']?.['containerID']).toMatch(/^\w+:\/\/\w+$/);
  });

  test.each([
    ['never-pull', 'ErrImageNeverPull', 'Container image "docker.io/library/nowhere:1" is not present with pull policy of Never'],
    [
      'bad-name',
      'InvalidImageName',
      'Failed to apply default image tag "Bad Name": couldn\'t parse image name "Bad Name": invalid reference format',
    ],
  ])('%s: waits', async (name, reason, text) => {
    const found = await suite().pod(name, (pod) => `${statuses(pod)[0]?.['state']?.['waiting']?.['reason']}` === reason, 'refused');
    expect(`${statuses(found)[0]?.['state']?.['waiting']?.['message']}`.toLowerCase()).toContain(text.toLowerCase());
  });
});

describe('restarts', () => {
  test.each([
    ['always', 'Running', 2],
    ['onfailure', 'Succeeded', 1],
    ['never', 'Failed', 0],
  ])('%s', { timeout: 60_000 }, async (policy, phase, count) => {
    const found = await suite().pod(
      `restart-${policy}`,
      (pod) =>
        `${pod['status']?.['phase']}` === phase &&
        Number(statuses(pod)[0]?.['restartCount']) === count &&
        (phase !== 'Running' || `${condition(pod, 'Ready')?.['status']}` === 'True'),
      phase,
    );
    if (phase === 'Running') expect(statuses(found)[0]).toMatchObject({ lastState: { terminated: { exitCode: 0, reason: 'Completed' } } });
  });

  test('wait longer and longer; the log before stays', { timeout: 60_000 }, async () => {
    const found = await suite().pod(
      'crashes',
      (pod) => `${statuses(pod)[0]?.['state']?.['waiting']?.['reason']}` === 'CrashLoopBackOff',
      'waiting',
    );
    expect(statuses(found)[0]).toMatchObject({
      state: {
        waiting: { message: expect.stringMatching(/^back-off \d+s restarting failed container=c pod=crashes_node-lifecycle\(.+\)$/) },
      },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    });
    expect(
      await suite()
        .ask('pods/crashes/log?previous=true')
        .then(({ body }) => body.toString()),
    ).toBe('before\n');
    await eventually(async () =>
      expect((await eventsOf('crashes')).join('\n')).toMatch(/BackOff Back-off restarting failed container c in pod crashes_/),
    );
  });
});

describe('init containers', () => {
  test('run one after the other, then the pod does', async () => {
    const never = await ended('init-never');
    expect(never).toMatchObject({
      status: {
        phase: 'Succeeded',
        initContainerStatuses: [{ ready: true, state: { terminated: { reason: 'Completed' } } }, { ready: true }],
      },
    });
    expect(condition(never, 'Initialized')).toMatchObject({ status: 'True', reason: 'PodCompleted' });
    const [first, second, main] = [...statuses(never, 'initContainerStatuses'), ...statuses(never)].map(
      (each) => each['state']?.['terminated'],
    );
    expect(`${first?.['finishedAt']}` <= `${second?.['startedAt']}` && `${second?.['finishedAt']}` <= `${main?.['startedAt']}`).toBe(true);
    await suite().ready('init-always');
  });

  test('one that fails ends a pod that never restarts', async () => {
    const found = await ended('init-fails-never');
    expect(found).toMatchObject({
      status: {
        phase: 'Failed',
        initContainerStatuses: [{ state: { terminated: { exitCode: 1 } } }, { state: { waiting: { reason: 'PodInitializing' } } }],
        containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
      },
    });
    expect(condition(found, 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [init-1 init-2]',
    });
  });

  test('one that fails is tried again where the pod restarts', { timeout: 60_000 }, async () => {
    const found = await suite().pod(
      'init-fails-always',
      (pod) => Number(statuses(pod, 'initContainerStatuses')[0]?.['restartCount']) >= 2,
      'restarted',
    );
    expect(found).toMatchObject({
      status: { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }] },
    });
  });

  test('sidecars start in order, when their probe allows, and end in the other', { timeout: 60_000 }, async () => {
    const found = await ended('sidecars');
    expect(found).toMatchObject({ status: { phase: 'Succeeded' } });
    const [one, between, two] = statuses(found, 'initContainerStatuses').map((each) => each['state']?.['terminated']);
    const at = (state: Json | undefined, key: string): number => Date.parse(`${state?.[key]}`);
    expect(at(between, 'startedAt') - at(one, 'startedAt')).toBeGreaterThanOrEqual(1000);
    expect(at(two, 'startedAt')).toBeGreaterThanOrEqual(at(between, 'finishedAt'));
    const end = async (container: string): Promise<string> =>
      (await suite().ask(`pods/sidecars/log?container=${container}&timestamps=true`)).body
        .toString()
        .split('\n')
        .find((line) => line.endsWith(' end')) ?? '';
    const [first, second, main] = [await end('side-1'), await end('side-2'), await end('main')];
    expect(main < second && second < first).toBe(true);
  });

  test("a sidecar that dies is started again, whatever the pod's policy", { timeout: 60_000 }, async () => {
    const found = await suite().pod(
      'side-dies',
      (pod) => Number(statuses(pod, 'initContainerStatuses')[0]?.['restartCount']) >= 2,
      'restarted',
    );
    expect(found).toMatchObject({ status: { phase: 'Running' } });
  });
});

describe('hooks', () => {
  const told = async (text: string): Promise<void> => eventually(async () => expect(await suite().logs('server')).toContain(text));

  test('by HTTP and by command, after the start and before the end', async () => {
    const { ready, create } = suite();
    await ready('server');
    const host = `${(await suite().get('pods/server'))['status']?.['podIP']}`;
    const get = (path: string): object => ({ httpGet: { host, port: 8080, path, httpHeaders: [{ name: 'X-Own', value: 'mine' }] } });
    const run = (path: string): object => exec(`wget -q -O - http://${host}:8080${path}`);
    await create(
      shellPod('http-hooks', sleeps, {
        container: { lifecycle: { postStart: get('/echo?http=poststart'), preStop: get('/echo?http=prestop') } },
      }),
      shellPod('exec-hooks', sleeps, {
        container: { lifecycle: { postStart: run('/echo?exec=poststart'), preStop: run('/echo?exec=prestop') } },
      }),
    );
    const secure = (path: string): object => ({
      httpGet: { host, port: 8443, path, scheme: 'HTTPS', httpHeaders: [{ name: 'X-Own', value: 'mine' }] },
    });
    await create(
      shellPod('https-hooks', sleeps, {
        container: { lifecycle: { postStart: secure('/echo?https=poststart'), preStop: secure('/echo?https=prestop') } },
      }),
    );
    await ready('http-hooks', 'exec-hooks', 'https-hooks');
    await told('TLS GET /echo?https=poststart kube-lifecycle/1.36 mine');
    await told('GET /echo?http=poststart kube-lifecycle/1.36 mine');
    await told('GET /echo?exec=poststart Wget');
    expect(await suite().logs('server')).not.toContain('prestop');
    await Promise.all(['http-hooks', 'exec-hooks', 'https-hooks'].map((name) => suite().delete(`pods/${name}`)));
    await told('GET /echo?http=prestop kube-lifecycle/1.36 mine');
    await told('GET /echo?exec=prestop Wget');
    await told('TLS GET /echo?https=prestop kube-lifecycle/1.36 mine');
    await eventually(async () => expect((await suite().ask('pods/http-hooks')).status).toBe(404));
  });

  test('one that fails ends its container; what it said stays out of events', async () => {
    const found = await ended('bad-hook');
    expect(found).toMatchObject({ status: { containerStatuses: [{ state: { terminated: { exitCode: 0 } } }] } });
    await eventually(async () =>
      expect(await eventsOf('bad-hook')).toEqual(
        expect.arrayContaining(['FailedPostStartHook PostStartHook failed', 'Killing FailedPostStartHook']),
      ),
    );
    expect((await eventsOf('bad-hook')).join()).not.toContain('secret');
  });
});

describe('deletion', () => {
  test('asks first, after the hook, and waits', async () => {
    const { pod, get } = suite();
    await eventually(async () => expect(await suite().logs('polite')).toBe('up\n'));
    const beganMs = Date.now();
    await suite().delete('pods/polite');
    expect((await get('pods/polite'))['metadata']).toMatchObject({ deletionGracePeriodSeconds: 30, deletionTimestamp: expect.any(String) });
    const found = await pod('polite', (each) => `${statuses(each)[0]?.['state']?.['terminated']?.['exitCode']}` === '7', 'ended');
    expect(Date.now() - beganMs).toBeGreaterThanOrEqual(1900);
    expect(found).toMatchObject({ status: { phase: 'Failed' } });
    expect(condition(found, 'Ready')).toMatchObject({ status: 'False' });
    await suite().patch('pods/polite', { metadata: { $patch: 'merge', '$deleteFromPrimitiveList/finalizers': ['test.example/kept'] } });
    await eventually(async () => expect((await suite().ask('pods/polite')).status).toBe(404));
  });

  test('kills who does not listen', async () => {
    const { pod, ready } = suite();
    await ready('stubborn');
    await suite().delete('pods/stubborn');
    await pod('stubborn', (each) => `${statuses(each)[0]?.['state']?.['terminated']?.['exitCode']}` === '137', 'killed');
    await suite().patch('pods/stubborn', { metadata: { '$deleteFromPrimitiveList/finalizers': ['test.example/kept'] } });
  });

  test('without grace is at once, and the container ends too', async () => {
    const { create, ready, ask } = suite();
    await create(shellPod('at-once', 'trap "" TERM; while :; do sleep 0.1; done', { spec: { terminationGracePeriodSeconds: 600 } }));
    await ready('at-once');
    await ask('pods/at-once?gracePeriodSeconds=0', { method: 'DELETE' });
    expect((await ask('pods/at-once')).status).toBe(404);
    await create(shellPod('at-once', 'echo again'));
    expect(await suite().output('at-once')).toBe('again\n');
  });

  test('of a collection, with watch events in order', async () => {
    const { create, ask, get, ready, cluster, namespace } = suite();
    const names = ['set-1', 'set-2', 'set-3'];
    const watch = cluster.startKubectl(['-n', namespace, 'get', 'pods', '-l', 'set=a', '--watch', '--output-watch-events', '--no-headers']);
    let seen = '';
    watch.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
    });
    try {
      await create(...names.map((name) => shellPod(name, sleeps, { metadata: { labels: { set: 'a' } } })));
      await ready(...names);
      expect((await ask('pods?labelSelector=set%3Da', { method: 'DELETE' })).status).toBe(200);
      await eventually(async () => expect((await get<{ items: object[] }>('pods?labelSelector=set%3Da')).items).toEqual([]));
      await eventually(() => {
        for (const name of names) {
          const own = seen
            .split('\n')
            .filter((line) => line.includes(` ${name} `))
            .map((line) => line.split(/\s+/)[0]);
          expect([own[0], own[own.length - 1]]).toEqual(['ADDED', 'DELETED']);
        }
      });
    } finally {
      watch.kill();
    }
  });

  test('a deadline that is set later ends the pod', async () => {
    await suite().ready('deadline');
    await suite().patch('pods/deadline', { spec: { activeDeadlineSeconds: 1 } });
    expect(await ended('deadline')).toMatchObject({
      status: { phase: 'Failed', reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' },
    });
  });
});

test('a Job that replaces only what has failed waits for the end of its pod', { timeout: 90_000 }, async () => {
  const { create, get, ask, namespace } = suite();
  const name = `patient-${Math.random().toString(36).slice(2, 8)}`;
  const job = `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`;
  const podsOf = async (): Promise<readonly Json[]> =>
    (await get<{ items: readonly Json[] }>(`/api/v1/namespaces/${namespace}/pods?labelSelector=job-name%3D${name}`)).items;
  const template = shellPod(name, 'trap "sleep 2; exit 1" TERM; while :; do sleep 0.1; done', {
    spec: { terminationGracePeriodSeconds: 30 },
  }) as unknown as Json;
  await create({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { podReplacementPolicy: 'Failed', template: { spec: template['spec'] } },
  });
  const first = await eventually(async () => {
    const [only] = await podsOf();
    expect(only?.['status']?.['phase']).toBe('Running');
    return `${only?.['metadata']?.['name']}`;
  });
  await suite().delete(`pods/${first}`);
  await eventually(async () => {
    const { status } = await get(job);
    expect([status?.['terminating'], status?.['active'] ?? 0]).toEqual([1, 0]);
  });
  expect((await podsOf()).map((each) => `${each['metadata']?.['name']}`)).toEqual([first]);
  await eventually(async () => expect(await get(job)).toMatchObject({ status: { active: 1, failed: 1 } }), 30_000);
  expect((await podsOf()).map((each) => `${each['metadata']?.['name']}`)).not.toEqual([first]);
  await ask(`${job}?propagationPolicy=Background`, { method: 'DELETE' });
});

test.each(['Guaranteed', 'Burstable', 'BestEffort'])('quality of service: %s', async (qosClass) => {
  expect(await suite().get(`pods/qos-${qosClass.toLowerCase()}`)).toMatchObject({ status: { qosClass } });
});

import { request } from 'node:https';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { accessOf } from '../support/https.ts';
import { busybox, type Json, shellPod, useContainers } from './fixture.ts';

// What happens to pods that run: resizes, new generations, visitors, taints.
const suite = useContainers('node-changes');

const sleeps = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const resources = (cpu: string, memory: string): object => ({ limits: { cpu, memory }, requests: { cpu, memory } });
const resizable = (name: string, container: object = {}): object =>
  shellPod(name, '', {
    spec: {
      restartPolicy: 'Always',
      containers: [{ name: 'c', image: busybox, command: ['sh', '-c', sleeps], resources: resources('100m', '32Mi'), ...container }],
    },
  });
const tolerant = (name: string, tolerationSeconds?: number): object =>
  shellPod(name, sleeps, {
    metadata: { labels: { taints: 'yes' } },
    spec: {
      tolerations: [
        {
          key: 'test.example/away',
          operator: 'Exists',
          effect: 'NoExecute',
          ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
        },
      ],
    },
  });

beforeAll(async () => {
  await suite().create(
    resizable('resized'),
    resizable('restarts', { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] }),
    resizable('too-big'),
    shellPod('visited', `echo out; echo err >&2; ${sleeps}`),
    shellPod('edited', sleeps, { metadata: { labels: { a: '1' } } }),
    shellPod('status', sleeps),
  );
});

const statusOf = (pod: Json): Json | undefined => (pod['status']?.['containerStatuses'] as unknown as readonly Json[] | undefined)?.[0];
const condition = (pod: Json, type: string): Json | undefined =>
  ((pod['status']?.['conditions'] ?? []) as unknown as readonly Json[]).find((each) => `${each['type']}` === type);
const eventsOf = async (name: string): Promise<string> => {
  const { items } = await suite().get<{ items: { reason: string; message: string }[] }>(`events?fieldSelector=involvedObject.name=${name}`);
  return items.map(({ reason, message }) => `${reason} ${message}`).join('\n');
};
const send = async (path: string, method: string, body: object, type = 'application/json'): Promise<[number, Json]> => {
  const answer = await suite().ask(path, { method, body: JSON.stringify(body), headers: { 'content-type': type } });
  return [answer.status, JSON.parse(answer.body.toString()) as Json];
};
const quantityMilli = (text: string): number => (text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000);
const wish = (cpu: string, memory: string): object => ({ spec: { containers: [{ name: 'c', resources: resources(cpu, memory) }] } });

describe('resize in place', { timeout: 60_000 }, () => {
  /** CPU in thousandths, memory in bytes, as the container itself reads them, on either version of control groups. */
  const limits = async (name: string): Promise<string> =>
    await suite().exec(
      name,
      `cd /sys/fs/cgroup; if [ -f memory.max ]; then cat memory.max; awk '{print $1 * 1000 / $2}' cpu.max;
       else cat memory/memory.limit_in_bytes; echo $(( $(cat cpu/cpu.cfs_quota_us) * 1000 / $(cat cpu/cpu.cfs_period_us) )); fi`,
    );
  const mib = 1024 * 1024;

  test('up and down, without a restart', async () => {
    await suite().ready('resized');
    expect(await limits('resized')).toBe(`${32 * mib}\n100\n`);
    for (const [cpu, memory, seen] of [
      ['200m', '64Mi', `${64 * mib}\n200\n`],
      ['50m', '40Mi', `${40 * mib}\n50\n`],
    ] as const) {
      const patched = await suite().patch('pods/resized', wish(cpu, memory), 'resize');
      expect(patched).toMatchObject({ spec: { containers: [{ resources: resources(cpu, memory) }] } });
      const done = await suite().pod(
        'resized',
        (pod) =>
          `${(statusOf(pod)?.['resources']?.['limits'] as Json | undefined)?.['memory']}` === memory &&
          condition(pod, 'PodResizeInProgress') === undefined,
        'resized',
      );
      expect(statusOf(done)).toMatchObject({ restartCount: 0, resources: resources(cpu, memory), allocatedResources: { cpu, memory } });
      expect(await limits('resized')).toBe(seen);
    }
    await eventually(async () => expect(await eventsOf('resized')).toMatch(/ResizeStarted(.*\n)*.*ResizeCompleted/));
  });

  test('restarts the container where its policy says so', async () => {
    await suite().ready('restarts');
    await suite().patch('pods/restarts', wish('150m', '32Mi'), 'resize');
    await suite().pod(
      'restarts',
      (pod) => `${(statusOf(pod)?.['resources']?.['limits'] as Json | undefined)?.['cpu']}` === '150m',
      'resized',
    );
    expect(statusOf(await suite().get('pods/restarts'))).toMatchObject({ restartCount: 0 });
    await suite().patch('pods/restarts', wish('150m', '48Mi'), 'resize');
    await suite().pod(
      'restarts',
      (pod) => Number(statusOf(pod)?.['restartCount']) === 1 && statusOf(pod)?.['state']?.['running'] !== undefined,
      'restarted',
    );
    expect(await limits('restarts')).toBe(`${48 * mib}\n150\n`);
  });

  test('more than the node has is infeasible; back again is fine', async () => {
    await suite().ready('too-big');
    await suite().patch('pods/too-big', wish('1000', '32Mi'), 'resize');
    const pending = await suite().pod('too-big', (pod) => condition(pod, 'PodResizePending') !== undefined, 'pending');
    expect(condition(pending, 'PodResizePending')).toMatchObject({
      status: 'True',
      reason: 'Infeasible',
      message: expect.stringMatching(/^Node didn't have enough capacity: cpu, requested: 1000000, capacity: \d+$/),
    });
    expect(await limits('too-big')).toBe(`${32 * mib}\n100\n`);
    await suite().patch('pods/too-big', wish('100m', '32Mi'), 'resize');
    await suite().pod('too-big', (pod) => condition(pod, 'PodResizePending') === undefined, 'no longer pending');
  });

  test('what others hold is deferred until they go', async () => {
    const { create, patch, ready, pod, ask, get } = suite();
    const node = ((await get<{ items: readonly Json[] }>('/api/v1/nodes')).items[0] ?? {}) as Json;
    const whole = quantityMilli(`${node['status']?.['allocatable']?.['cpu']}`);
    const requests = { requests: { cpu: '300m' } };
    for (const name of ['holds', 'waits']) await ask(`pods/${name}?gracePeriodSeconds=0`, { method: 'DELETE' });
    await create(
      shellPod('holds', sleeps, { container: { resources: requests } }),
      resizable('waits', { resources: { requests: { cpu: '50m' } } }),
    );
    await ready('holds', 'waits');
    const { items } = await get<{ items: readonly Json[] }>('/api/v1/pods');
    const held = items
      .flatMap((each) => each['spec']?.['containers'] as unknown as readonly Json[])
      .reduce((sum, each) => sum + quantityMilli(`${each['resources']?.['requests']?.['cpu'] ?? '0'}`), 0);
    const wanted = `${whole - held + 250}m`;
    await patch('pods/waits', { spec: { containers: [{ name: 'c', resources: { requests: { cpu: wanted } } }] } }, 'resize');
    const pending = await pod('waits', (each) => condition(each, 'PodResizePending') !== undefined, 'pending');
    expect(condition(pending, 'PodResizePending')).toMatchObject({ status: 'True', reason: 'Deferred' });
    expect(statusOf(pending)).toMatchObject({ allocatedResources: { cpu: '50m' } });
    await suite().delete('pods/holds?gracePeriodSeconds=0');
    const done = await pod('waits', (each) => condition(each, 'PodResizePending') === undefined, 'no longer pending');
    expect(statusOf(await pod('waits', (each) => `${statusOf(each)?.['allocatedResources']?.['cpu']}` !== '50m', 'resized'))).toMatchObject(
      {
        restartCount: statusOf(done)?.['restartCount'],
        allocatedResources: { cpu: wanted },
      },
    );
    await suite().delete('pods/waits?gracePeriodSeconds=0');
  });

  test('only by the subresource, and never to another class', async () => {
    const [plain, why] = await send('pods/resized', 'PATCH', wish('300m', '64Mi'), 'application/strategic-merge-patch+json');
    expect([plain, `${why['message']}`]).toEqual([422, expect.stringContaining('pod updates may not change fields other than')]);
    const other = { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '10m' } } }] } };
    const [status, refused] = await send('pods/resized/resize', 'PATCH', other, 'application/strategic-merge-patch+json');
    expect([status, `${refused['message']}`]).toEqual([
      422,
      expect.stringContaining('Pod QOS Class may not change as a result of resizing'),
    ]);
  });
});

describe('changes of a pod', () => {
  test('labels keep its generation; its deadline, image and deletion raise it, and the status follows', async () => {
    const { patch, pod, ready } = suite();
    await ready('edited');
    const generation = (each: Json): number => Number(each['metadata']?.['generation']);
    expect(generation(await patch('pods/edited', { metadata: { labels: { a: '2' }, annotations: { b: 'c' } } }))).toBe(1);
    expect(generation(await patch('pods/edited', { spec: { activeDeadlineSeconds: 5000 } }))).toBe(2);
    expect(generation(await patch('pods/edited', { spec: { tolerations: [{ key: 'x', operator: 'Exists' }] } }))).toBe(3);
    const seen = await pod('edited', (each) => Number(each['status']?.['observedGeneration']) === 3, 'observed');
    expect(condition(seen, 'Ready')).toMatchObject({ observedGeneration: 3 });
    await suite().create(
      shellPod('deleted', 'trap "sleep 2; exit 0" TERM; while :; do sleep 0.1; done', { spec: { terminationGracePeriodSeconds: 20 } }),
    );
    await ready('deleted');
    await suite().delete('pods/deleted');
    expect(generation(await suite().get('pods/deleted'))).toBe(2);
  });

  test('a new image replaces the container', async () => {
    const { patch, pod, loadImage, create, ready } = suite();
    await create(
      shellPod('imaged', sleeps, {
        spec: { restartPolicy: 'Always', containers: [{ name: 'c', image: busybox, command: ['sh', '-c', sleeps] }] },
      }),
    );
    await ready('imaged');
    const { busyboxImage } = await import('@orrery/cri-oci/testing');
    await loadImage('docker.io/library/busybox:2', busyboxImage({ Env: ['PATH=/bin', 'VERSION=2'] }));
    await patch('pods/imaged', { spec: { containers: [{ name: 'c', image: 'docker.io/library/busybox:2' }] } });
    await pod(
      'imaged',
      (each) => Number(statusOf(each)?.['restartCount']) === 1 && statusOf(each)?.['state']?.['running'] !== undefined,
      'replaced',
    );
    expect(await suite().exec('imaged', 'echo $VERSION')).toBe('2\n');
  });

  test('status by patch and replacement', async () => {
    await suite().ready('status');
    const [status, patched] = await send(
      'pods/status/status',
      'PATCH',
      { status: { message: 'mine' } },
      'application/strategic-merge-patch+json',
    );
    expect([status, patched['status']?.['message']]).toEqual([200, 'mine']);
    const conditions = [{ type: 'test.example/own', status: 'True' }];
    await suite().patch('pods/status', { status: { conditions } }, 'status');
    expect(condition(await suite().get('pods/status'), 'test.example/own')).toMatchObject({ status: 'True' });
  });

  test('ephemeral containers come to a pod that runs', async () => {
    const { patch, pod, ready, exec, logs } = suite();
    await ready('visited');
    const debug = (name: string): object => ({
      name,
      image: busybox,
      command: ['sh', '-c', `echo in ${name}; ${sleeps}`],
      targetContainerName: 'c',
    });
    const path = 'pods/visited';
    await patch(path, { spec: { ephemeralContainers: [debug('first')] } }, 'ephemeralcontainers');
    const running = (names: readonly string[]) => (each: Json) => {
      const all = (each['status']?.['ephemeralContainerStatuses'] ?? []) as unknown as readonly Json[];
      return names.every((name) => all.some((one) => `${one['name']}` === name && one['state']?.['running'] !== undefined));
    };
    await pod('visited', running(['first']), 'visited');
    expect(await exec('visited', 'ps | grep -c "echo out"', 'first')).not.toBe('0\n');
    await patch(path, { spec: { ephemeralContainers: [debug('second')] } }, 'ephemeralcontainers');
    const both = await pod('visited', running(['first', 'second']), 'visited twice');
    expect(both['spec']?.['ephemeralContainers']).toHaveLength(2);
    await eventually(async () => expect(await logs('visited', 'second')).toBe('in second\n'));
  });
});

describe('over WebSocket', () => {
  interface Heard {
    readonly protocol: string;
    readonly frames: readonly { readonly binary: boolean; readonly data: Buffer }[];
  }

  /** Everything until the server ends it. */
  const hear = (path: string, protocols: string[]): Promise<Heard> =>
    new Promise((resolve, reject) => {
      const { url, ca, cert, key } = accessOf(suite().cluster.kubeconfig);
      const address = `${url.replace('https', 'wss')}/api/v1/namespaces/${suite().namespace}/${path}`;
      const socket = new WebSocket(address, protocols, { ca, cert, key });
      const timer = setTimeout(() => socket.terminate(), 20_000);
      const frames: { binary: boolean; data: Buffer }[] = [];
      socket.on('message', (data: Buffer, binary) => frames.push({ binary, data }));
      socket.on('error', reject);
      socket.on('close', () => {
        clearTimeout(timer);
        resolve({ protocol: socket.protocol, frames });
      });
    });
  const channel = ({ frames }: Heard, number: number): string =>
    Buffer.concat(frames.filter(({ data }) => data[0] === number).map(({ data }) => data.subarray(1))).toString();
  const command = ['sh', '-c', 'echo remote; echo wrong >&2; exit 5'].map((word) => `command=${encodeURIComponent(word)}`).join('&');

  test.each(['v5.channel.k8s.io', 'v4.channel.k8s.io'])('exec: %s', async (protocol) => {
    const heard = await hear(`pods/visited/exec?stdout=1&stderr=1&container=c&${command}`, [protocol]);
    expect([heard.protocol, channel(heard, 1), channel(heard, 2)]).toEqual([protocol, 'remote\n', 'wrong\n']);
    expect(JSON.parse(channel(heard, 3))).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '5' }] },
    });
  });

  test.each([[['channel.k8s.io']], [[]]])('exec: %j', async (protocols: string[]) => {
    const heard = await hear(`pods/visited/exec?stdout=1&stderr=1&container=c&${command}`, protocols);
    expect([channel(heard, 1), channel(heard, 2)]).toEqual(['remote\n', 'wrong\n']);
  });

  test('exec: base64.channel.k8s.io', async () => {
    const heard = await hear(`pods/visited/exec?stdout=1&container=c&${command}`, ['base64.channel.k8s.io']);
    const texts = heard.frames.map(({ data }) => data.toString()).filter((text) => text.startsWith('1'));
    expect(Buffer.from(texts.map((text) => text.slice(1)).join(''), 'base64').toString()).toBe('remote\n');
  });

  test.each([[['binary.k8s.io']], [['base64.binary.k8s.io']], [[]]])('logs: %j', async (given: string[]) => {
    const { frames } = await hear('pods/visited/log?container=c', given);
    const base64 = given[0] === 'base64.binary.k8s.io';
    const plain = frames.map(({ data }) => (base64 ? Buffer.from(data.toString(), 'base64') : data).toString()).join('');
    expect(plain.split('\n').sort()).toEqual(['', 'err', 'out']);
  });
});

test('claims, classes and slices of devices are kept', async () => {
  const { cluster, namespace, get } = suite();
  const of = (kind: string, name: string, spec: object): object => ({
    apiVersion: 'resource.k8s.io/v1',
    kind,
    metadata: { name, labels: { own: 'x' } },
    spec,
  });
  const devices = { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] };
  const items = [
    of('DeviceClass', 'gpu', {}),
    of('ResourceClaim', 'one', { devices }),
    of('ResourceClaimTemplate', 'one', { spec: { devices } }),
    of('ResourceSlice', 'one', { driver: 'd.example', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, allNodes: true }),
  ];
  const kinds = 'deviceclasses,resourceclaims,resourceclaimtemplates,resourceslices';
  await cluster.kubectl(['-n', namespace, 'apply', '--server-side', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
  expect(await get(`/apis/resource.k8s.io/v1/namespaces/${namespace}/resourceclaims/one`)).toMatchObject({
    spec: { devices: { requests: [{ exactly: { allocationMode: 'ExactCount', count: 1 } }] } },
  });
  expect((await cluster.kubectl(['-n', namespace, 'get', kinds, '-l', 'own=x', '-o', 'name'])).trim().split('\n')).toHaveLength(4);
  await cluster.kubectl(['-n', namespace, 'delete', kinds, '-l', 'own=x']);
  expect(await cluster.kubectl(['-n', namespace, 'get', kinds, '-l', 'own=x', '-o', 'name'])).toBe('');
});

describe('the node', { timeout: 60_000 }, () => {
  const node = async (): Promise<Json> => ((await suite().get<{ items: readonly Json[] }>('/api/v1/nodes')).items[0] ?? {}) as Json;
  const nodePath = async (): Promise<string> => `/api/v1/nodes/${(await node())['metadata']?.['name']}`;

  test('renews its lease', async () => {
    const name = `${(await node())['metadata']?.['name']}`;
    const path = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`;
    const before = await suite().get(path);
    expect(before).toMatchObject({ spec: { holderIdentity: name, leaseDurationSeconds: 40 } });
    await eventually(async () => expect((await suite().get(path))['spec']?.['renewTime']).not.toBe(before['spec']?.['renewTime']), 40_000);
  });

  test('is asked through the API server', async () => {
    const path = await nodePath();
    const port = Number((await node())['status']?.['daemonEndpoints']?.['kubeletEndpoint']?.['Port']);
    const name = path.split('/').pop();
    for (const [proxied, expected] of [
      [`${path}/proxy/healthz`, /^ok$/],
      [`/api/v1/nodes/${name}:${port}/proxy/healthz`, /^ok$/],
      [`${path}/proxy/pods`, /"kind":"PodList"/],
      [`${path}/proxy/configz`, /"kubeletconfig":\{"kind":"KubeletConfiguration"/],
      [`${path}/proxy/logs/`, /^<pre>\n(<a href=".*\n)*<\/pre>\n$/],
      [`${path}/proxy/metrics`, /^kubelet_running_pods \d+$/m],
      [`${path}/proxy/metrics/resource`, /^node_memory_working_set_bytes \d+$/m],
      [`${path}/proxy/metrics/cadvisor`, /^container_memory_working_set_bytes\{/m],
    ] as const) {
      const answer = await suite().ask(proxied);
      expect([proxied, answer.status, answer.body.toString()]).toEqual([proxied, 200, expect.stringMatching(expected)]);
    }
  });

  test('is asked directly, by those who may', async () => {
    const { cluster, namespace } = suite();
    const { addresses, daemonEndpoints } = (await node())['status'] as unknown as {
      addresses: readonly { type: string; address: string }[];
      daemonEndpoints: { kubeletEndpoint: { Port: number } };
    };
    const address = addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
    const input = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'scraper', namespace } },
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRole',
          metadata: { name: 'scraper' },
          rules: [{ apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] }],
        },
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRoleBinding',
          metadata: { name: 'scraper' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'scraper' },
          subjects: [{ kind: 'ServiceAccount', name: 'scraper', namespace }],
        },
      ],
    });
    await cluster.kubectl(['apply', '-f', '-'], { input });
    const token = (await cluster.kubectl(['-n', namespace, 'create', 'token', 'scraper'])).trim();
    const direct = (path: string, headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        const { ca } = accessOf(cluster.kubeconfig);
        const options = { host: address, port: daemonEndpoints.kubeletEndpoint.Port, path, ca, headers, agent: false };
        request(options, (response) => resolve(response.resume().statusCode ?? 0))
          .once('error', reject)
          .end();
      });
    const authorization = `Bearer ${token}`;
    await eventually(async () => expect(await direct('/metrics', { authorization })).toBe(200));
    expect(await direct('/pods', { authorization })).toBe(403);
    expect(await direct('/metrics', { authorization: 'Bearer nobody' })).toBe(401);
    expect(await direct('/metrics', {})).toBe(401);
  });

  test('tells what it and its pods use', async () => {
    await suite().ready('visited');
    const { node: own, pods } = await suite().get<{ node: Json; pods: readonly Json[] }>(`${await nodePath()}/proxy/stats/summary`);
    const amount = expect.any(Number);
    expect(own).toMatchObject({
      startTime: expect.any(String),
      cpu: { usageCoreNanoSeconds: amount },
      memory: { availableBytes: amount, workingSetBytes: amount, pageFaults: amount },
      network: { name: expect.any(String), rxBytes: amount, txBytes: amount },
      fs: { availableBytes: amount, capacityBytes: amount, usedBytes: amount, inodesFree: amount },
      runtime: { imageFs: { availableBytes: amount } },
      rlimit: { maxpid: amount, curproc: amount },
    });
    const pod = pods.find((each) => `${each['podRef']?.['name']}` === 'visited');
    expect(pod).toMatchObject({
      cpu: { usageCoreNanoSeconds: amount },
      memory: { workingSetBytes: amount },
      containers: expect.arrayContaining([
        expect.objectContaining({ name: 'c', memory: expect.objectContaining({ workingSetBytes: amount }) }),
      ]),
    });
  });

  test('a NoExecute taint ends pods when their tolerance does, unless it goes before', async () => {
    const { create, ready, patch, ask } = suite();
    await create(tolerant('forever'), tolerant('brief', 2), tolerant('patient', 15), shellPod('intolerant', sleeps));
    await ready('forever', 'brief', 'patient', 'intolerant');
    const path = await nodePath();
    const gone = async (name: string): Promise<void> =>
      eventually(async () => {
        const { status, body } = await ask(`pods/${name}`);
        if (status === 200) expect(JSON.parse(body.toString())).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } });
      }, 30_000);
    try {
      await patch(path, { spec: { taints: [{ key: 'test.example/away', value: 'v', effect: 'NoExecute' }] } });
      await gone('intolerant');
      expect((await suite().get('pods/brief'))['metadata']).not.toHaveProperty('deletionTimestamp');
      await gone('brief');
      expect(await eventsOf('brief')).toContain('TaintManagerEviction Marking for deletion Pod node-changes/brief');
    } finally {
      await patch(path, { spec: { taints: [{ key: 'test.example/away', effect: 'NoExecute', $patch: 'delete' }] } });
    }
    await eventually(async () =>
      expect(await eventsOf('patient')).toContain('TaintManagerEviction Cancelling deletion of Pod node-changes/patient'),
    );
    for (const name of ['forever', 'patient']) {
      expect((await suite().get(`pods/${name}`))['metadata']).not.toHaveProperty('deletionTimestamp');
    }
  });

  test('an extended resource that somebody patched in is given out, stays, and goes to who is more important', async () => {
    const { create, ready, pod, cluster, ask, get } = suite();
    const path = await nodePath();
    const resource = 'scheduling.k8s.io/foo';
    const amount = async (): Promise<unknown> => [
      (await node())['status']?.['capacity']?.[resource],
      (await node())['status']?.['allocatable']?.[resource],
    ];
    const patchCapacity = async (op: 'add' | 'remove'): Promise<void> => {
      const each = [{ op, path: `/status/capacity/${resource.replace('/', '~1')}`, ...(op === 'add' ? { value: '2' } : {}) }];
      const both = op === 'add' ? each : [...each, { op, path: `/status/allocatable/${resource.replace('/', '~1')}` }];
      const [status] = await send(`${path}/status`, 'PATCH', both, 'application/json-patch+json');
      expect(status).toBe(200);
    };
    const names = ['plain-1', 'plain-2', 'important'];
    for (const name of names) await ask(`pods/${name}?gracePeriodSeconds=0`, { method: 'DELETE' });
    await patchCapacity('add');
    try {
      await eventually(async () => expect(await amount()).toEqual(['2', '2']), 30_000);
      const input = JSON.stringify({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'vital' }, value: 1000 });
      await cluster.kubectl(['apply', '-f', '-'], { input });
      const asks = (name: string, spec: object = {}): object =>
        shellPod(name, sleeps, {
          metadata: { finalizers: name === 'plain-1' ? ['test.example/look'] : [] },
          spec,
          container: { resources: { requests: { [resource]: '1' }, limits: { [resource]: '1' } } },
        });
      await create(asks('plain-1'), asks('plain-2', { priorityClassName: 'system-cluster-critical' }));
      await ready('plain-1', 'plain-2');
      await create(asks('important', { priorityClassName: 'vital' }));
      await ready('important');
      const victim = await pod('plain-1', (each) => condition(each, 'DisruptionTarget') !== undefined, 'a victim');
      expect(condition(victim, 'DisruptionTarget')).toMatchObject({ status: 'True', reason: 'PreemptionByScheduler' });
      expect((await get('pods/plain-2'))['metadata']).not.toHaveProperty('deletionTimestamp');
      expect(await amount()).toEqual(['2', '2']);
    } finally {
      await send('pods/plain-1', 'PATCH', { metadata: { finalizers: null } }, 'application/merge-patch+json');
      for (const name of names) await ask(`pods/${name}?gracePeriodSeconds=0`, { method: 'DELETE' });
      await patchCapacity('remove');
    }
    await eventually(async () => expect(await amount()).toEqual([undefined, undefined]));
  });
});

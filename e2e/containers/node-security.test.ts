import { busyboxImage } from '@orrery/cri-oci/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { busybox, type Json, shellPod, useContainers, values } from './fixture.ts';

// What a container may do: users, capabilities, kernel settings, runtime classes.
const suite = useContainers('node-security');

const who = 'echo "id=$(id -u):$(id -g) $(id -G)"';
const may = 'grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t" | tr : =';
const grouped = 'docker.io/library/grouped:1';

const secured = (name: string, script: string, container: object, pod: object = {}, image = busybox): object =>
  shellPod(name, script, { spec: { securityContext: pod }, container: { image, securityContext: container } });
const withSysctls = (name: string, script: string, ...sysctls: readonly { name: string; value: string }[]): object =>
  shellPod(name, script, { spec: { securityContext: { sysctls } } });
const runtimeClass = (name: string, handler: string, more: object = {}): object => ({
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name },
  handler,
  ...more,
});
const classed = (name: string, runtimeClassName: string, more: object = {}): object =>
  shellPod(name, 'echo ran', { spec: { runtimeClassName, ...more } });

/** What runs every pod, by its name. */
async function ownHandler(): Promise<string> {
  const { items } = await suite().get<{ items: [{ status: { runtimeHandlers: { name?: string }[] } }] }>('/api/v1/nodes');
  return items[0].status.runtimeHandlers.find(({ name }) => name !== undefined)?.name ?? '';
}

beforeAll(async () => {
  await suite().loadImage(
    grouped,
    busyboxImage({ User: 'named' }, [
      { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnamed:x:1000:1000::/:/bin/sh\n' },
      { name: 'etc/group', content: 'root:x:0:\nnamed:x:1000:\nextra:x:50000:named\n' },
    ]),
  );
  await suite().loadImage('docker.io/library/numbered:1', busyboxImage({ User: '1234' }));
  await suite().create(
    runtimeClass('configured', await ownHandler(), { overhead: { podFixed: { cpu: '10m', memory: '1Mi' } } }),
    runtimeClass('unconfigured', 'nobody-has-it'),
    runtimeClass('placed', 'runc', {
      scheduling: { nodeSelector: { 'no.such/label': 'x' }, tolerations: [{ key: 'k', operator: 'Exists' }] },
    }),
  );
  await suite().create(
    secured('user', who, { runAsUser: 65534 }),
    secured('container-ids', who, { runAsUser: 1001, runAsGroup: 2002 }, { runAsUser: 7, runAsGroup: 8 }),
    secured('pod-ids', who, {}, { runAsUser: 1001, runAsGroup: 2002, supplementalGroups: [3003] }),
    secured('named', who, {}, {}, grouped),
    secured('merge', who, { runAsUser: 1000 }, { supplementalGroups: [60000] }, grouped),
    secured('strict', who, { runAsUser: 1000 }, { supplementalGroups: [60000], supplementalGroupsPolicy: 'Strict' }, grouped),
    secured('numbered', who, { runAsNonRoot: true }, {}, 'docker.io/library/numbered:1'),
    secured('implicit-root', who, { runAsNonRoot: true }),
    secured('explicit-root', who, { runAsNonRoot: true, runAsUser: 0 }),
    secured('by-name', who, { runAsNonRoot: true }, {}, grouped),
    secured('non-root', who, { runAsNonRoot: true, runAsUser: 1234 }),
    secured('plain', `${may}; touch /written && echo root=writable; mount -t tmpfs x /tmp 2>/dev/null || echo mount=refused`, {
      privileged: false,
      readOnlyRootFilesystem: false,
    }),
    secured('privileged', `${may}; mount -t tmpfs x /tmp && echo mount=allowed; ls /dev | wc -l`, { privileged: true }),
    secured('no-escalation', `${may}; ${who}`, { allowPrivilegeEscalation: false, runAsUser: 1000 }),
    secured('escalation', may, { allowPrivilegeEscalation: true, runAsUser: 1000 }),
    secured('read-only', 'touch /file 2>&1 || echo root=refused', { readOnlyRootFilesystem: true }),
    secured('added', may, { capabilities: { add: ['NET_ADMIN'], drop: ['CHOWN'] } }),
    secured('dropped', may, { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }),
    secured('filtered', may, { seccompProfile: { type: 'RuntimeDefault' } }),
    secured('unfiltered', may, { seccompProfile: { type: 'Unconfined' } }),
    secured('pod-filtered', may, {}, { seccompProfile: { type: 'RuntimeDefault' } }),
    withSysctls(
      'sysctls',
      'cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/ip_unprivileged_port_start',
      { name: 'kernel.shm_rmid_forced', value: '1' },
      { name: 'net/ipv4/ip_local_port_range', value: '1024 2048' },
      { name: 'net.ipv4.ip_unprivileged_port_start', value: '5' },
    ),
    withSysctls('unsafe', 'true', { name: 'kernel.msgmax', value: '10000000000' }),
    classed('configured', 'configured'),
    classed('unconfigured', 'unconfigured'),
    classed('placed', 'placed'),
  );
});

const sorted = (ids = ''): string[] => ids.split(' ').sort();
const waiting = (pod: Json): Json | undefined =>
  (pod['status']?.['containerStatuses'] as unknown as Json[] | undefined)?.[0]?.['state']?.['waiting'];
const capabilities = (hex: string | undefined): bigint => BigInt(`0x${hex ?? '0'}`);
const has = (hex: string | undefined, bit: number): boolean => (capabilities(hex) & (1n << BigInt(bit))) !== 0n;
const [chown, netBindService, netAdmin, sysAdmin] = [0, 10, 12, 21];

const refusal = async (pod: object): Promise<[number, string]> => {
  const answer = await suite().ask('pods', { method: 'POST', body: JSON.stringify(pod), headers: { 'content-type': 'application/json' } });
  return [answer.status, (JSON.parse(answer.body.toString()) as { message: string }).message];
};

describe('users', () => {
  test.each([
    ['user', '65534:65534 65534'],
    ['container-ids', '1001:2002 2002'],
    ['pod-ids', '1001:2002 2002 3003'],
    ['named', '1000:1000 1000 50000'],
    ['merge', '1000:1000 1000 50000 60000'],
    ['strict', '1000:1000 1000 60000'],
    ['numbered', '1234:0 0'],
    ['non-root', '1234:0 0'],
  ])('%s', async (name, id) => {
    expect(sorted(values(await suite().output(name))['id'])).toEqual(sorted(id));
  });

  test('are told in the status', async () => {
    const pod = await suite().get<{ status: { containerStatuses: [{ user: object }] } }>('pods/pod-ids');
    expect(pod.status.containerStatuses[0].user).toEqual({ linux: { uid: 1001, gid: 2002, supplementalGroups: [2002, 3003] } });
  });

  test.each([
    ['implicit-root', 'container has runAsNonRoot and image will run as root (pod: "implicit-root_node-security(UID)", container: c)'],
    ['explicit-root', 'container\'s runAsUser breaks non-root policy (pod: "explicit-root_node-security(UID)", container: c)'],
    [
      'by-name',
      'container has runAsNonRoot and image has non-numeric user (named), cannot verify user is non-root (pod: "by-name_node-security(UID)", container: c)',
    ],
  ])('%s: refused', async (name, message) => {
    const found = await suite().pod(name, (pod) => `${waiting(pod)?.['reason']}` === 'CreateContainerConfigError', 'refused');
    expect(waiting(found)?.['message']).toBe(message.replace('UID', `${found['metadata']?.['uid']}`));
  });
});

describe('privileges', () => {
  test('an ordinary container has few and may write its root', async () => {
    const got = values(await suite().output('plain'));
    expect(got).toMatchObject({ root: 'writable', mount: 'refused', NoNewPrivs: '0' });
    expect([chown, netAdmin, sysAdmin].map((bit) => has(got['CapEff'], bit))).toEqual([true, false, false]);
  });

  test('a privileged one has all', async () => {
    const got = values(await suite().output('privileged'));
    expect(got).toMatchObject({ mount: 'allowed', Seccomp: '0' });
    expect([chown, netAdmin, sysAdmin].map((bit) => has(got['CapEff'], bit))).toEqual([true, true, true]);
  });

  test('escalation', async () => {
    expect(values(await suite().output('no-escalation'))).toMatchObject({ NoNewPrivs: '1', id: '1000:0 0' });
    expect(values(await suite().output('escalation'))).toMatchObject({ NoNewPrivs: '0' });
    expect(await refusal(secured('x', 'true', { privileged: true, allowPrivilegeEscalation: false }))).toEqual([
      422,
      expect.stringContaining('cannot set `allowPrivilegeEscalation` to false and `privileged` to true'),
    ]);
  });

  test('a root that may not be written', async () => {
    expect(await suite().output('read-only')).toBe('touch: /file: Read-only file system\nroot=refused\n');
  });

  test('capabilities', async () => {
    const added = values(await suite().output('added'))['CapEff'];
    expect([chown, netAdmin, netBindService].map((bit) => has(added, bit))).toEqual([false, true, true]);
    expect(capabilities(values(await suite().output('dropped'))['CapEff'])).toBe(1n << BigInt(netBindService));
  });

  test('seccomp', async () => {
    const mode = async (name: string): Promise<string | undefined> => values(await suite().output(name))['Seccomp'];
    expect([await mode('filtered'), await mode('unfiltered'), await mode('pod-filtered')]).toEqual(['2', '0', '2']);
  });
});

describe('kernel settings', () => {
  test('safe ones are made', async () => {
    expect(await suite().output('sysctls')).toBe('1\n1024\t2048\n5\n');
  });

  test('unsafe ones end the pod', async () => {
    const found = await suite().pod('unsafe', (pod) => `${pod['status']?.['phase']}` === 'Failed', 'failed');
    expect(found['status']).toMatchObject({
      reason: 'SysctlForbidden',
      message: 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted',
    });
  });

  test('names that are none are refused', async () => {
    const pod = withSysctls(
      'x',
      'true',
      { name: 'foo-', value: 'bar' },
      { name: 'kernel.shmmax', value: '100000000' },
      { name: 'bar..', value: '42' },
    );
    expect(await refusal(pod)).toEqual([
      422,
      expect.stringMatching(
        /sysctls\[0\]\.name: Invalid value: "foo-": must have at most 253 characters.*sysctls\[2\]\.name: Invalid value: "bar\.\."/,
      ),
    ]);
  });
});

describe('runtime classes', () => {
  test('bring their overhead to the pod, which runs', async () => {
    expect(await suite().output('configured')).toBe('ran\n');
    expect(await suite().get('pods/configured')).toMatchObject({ spec: { overhead: { cpu: '10m', memory: '1Mi' } } });
  });

  test('that no node knows: the sandbox fails', async () => {
    const events = async (): Promise<string> => JSON.stringify(await suite().get('events?fieldSelector=involvedObject.name=unconfigured'));
    await expect.poll(events, { timeout: 25_000 }).toContain('FailedCreatePodSandBox');
  });

  test('choose nodes and bring tolerations', async () => {
    expect(await suite().get('pods/placed')).toMatchObject({
      spec: { nodeSelector: { 'no.such/label': 'x' }, tolerations: expect.arrayContaining([{ key: 'k', operator: 'Exists' }]) },
      status: { phase: 'Pending' },
    });
  });

  test("that are not there, or no more, and overheads of one's own are refused", async () => {
    expect(await refusal(classed('x', 'nowhere'))).toEqual([403, 'pods "x" is forbidden: pod rejected: RuntimeClass "nowhere" not found']);
    await suite().create(runtimeClass('deleted', 'runc'));
    await suite().delete('/apis/node.k8s.io/v1/runtimeclasses/deleted');
    await expect.poll(() => refusal(classed('x', 'deleted')).then(([status]) => status), { timeout: 25_000 }).toBe(403);
    const [status, message] = await refusal(classed('x', 'configured', { overhead: { cpu: '1' } }));
    expect([status, message]).toEqual([
      403,
      expect.stringContaining("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"),
    ]);
  });

  test('are told by the node', async () => {
    expect(await ownHandler()).toMatch(/^(crun|runc)$/);
  });
});

describe('users of the pod’s own', () => {
  test('root inside is nobody outside; volumes and files of the image are its own', async () => {
    const script =
      'echo map=$(cat /proc/self/uid_map); echo new >/bin/new; echo kept >/v/kept; stat -c %u:%g /bin/busybox /v/kept /m; id -u';
    await suite().create(
      shellPod('own-users', script, {
        spec: {
          hostUsers: false,
          volumes: [
            { name: 'v', emptyDir: {} },
            { name: 'm', emptyDir: { medium: 'Memory' } },
          ],
        },
        container: {
          volumeMounts: [
            { name: 'v', mountPath: '/v' },
            { name: 'm', mountPath: '/m' },
          ],
        },
      }),
    );
    const [map = '', ...rest] = (await suite().output('own-users')).trim().split('\n');
    const [inside, outside, length] = map.replace('map=', '').trim().split(' ').map(Number);
    expect(inside).toBe(0);
    expect(outside).toBeGreaterThanOrEqual(65_536);
    expect(length).toBe(65_536);
    expect(rest).toEqual(['0:0', '0:0', '0:0', '0']);
  });
});

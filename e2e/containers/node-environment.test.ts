import { busyboxImage } from '@orrery/cri-oci/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { busybox, type Json, shellPod, toolsPod, useContainers, values } from './fixture.ts';

// What a container finds when it starts: variables, arguments, names, files of the kubelet's own.
const suite = useContainers('node-environment');

const field = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const resource = (name: string, from: string, more: object = {}): object => ({
  name,
  valueFrom: { resourceFieldRef: { resource: from, ...more } },
});
const fromConfigMap = (name: string, map: string, key: string, optional = false): object => ({
  name,
  valueFrom: { configMapKeyRef: { name: map, key, optional } },
});

const variables = shellPod('variables', '', {
  container: {
    command: ['/bin/env'], // A shell drops names that it cannot say.
    envFrom: [
      { configMapRef: { name: 'settings' } },
      { prefix: 'p-', configMapRef: { name: 'settings' } },
      { prefix: 'q:[$ ~', secretRef: { name: 'hidden' } },
      { configMapRef: { name: 'nowhere', optional: true } },
      { secretRef: { name: 'nowhere', optional: true } },
    ],
    env: [
      { name: 'FOO', value: 'foo' },
      { name: 'COMPOSED', value: '$(FOO);;$(LATER);;$$(FOO);;$$$(FOO);;$(unclosed;;$(user-name)' },
      { name: 'LATER', value: 'later' },
      { name: 'PATH', value: '/bin:$(PATH)' },
      { name: 'user-name', value: 'own' },
      { name: 'AGAIN', value: 'one' },
      { name: 'AGAIN', value: '$(AGAIN) two' },
      { name: '1 odd:name', value: 'odd' },
      fromConfigMap('FROM_MAP', 'settings', 'data-1'),
      fromConfigMap('ABSENT_KEY', 'settings', 'nokey', true),
      fromConfigMap('ABSENT_MAP', 'nowhere', 'nokey', true),
      { name: 'FROM_SECRET', valueFrom: { secretKeyRef: { name: 'hidden', key: 'password' } } },
    ],
  },
});

const facts = shellPod('facts', '', {
  metadata: { labels: { app: 'facts' }, annotations: { 'a/b': 'c' } },
  spec: {
    containers: [
      {
        name: 'limited',
        image: busybox,
        command: ['env'],
        resources: { limits: { cpu: '1250m', memory: '64Mi' }, requests: { cpu: '250m', memory: '32Mi', 'ephemeral-storage': '1Mi' } },
        env: [
          field('NAME', 'metadata.name'),
          field('NAMESPACE', 'metadata.namespace'),
          field('UID', 'metadata.uid'),
          field('LABEL', "metadata.labels['app']"),
          field('ANNOTATION', "metadata.annotations['a/b']"),
          field('POD_IP', 'status.podIP'),
          field('POD_IPS', 'status.podIPs'),
          field('HOST_IP', 'status.hostIP'),
          field('HOST_IPS', 'status.hostIPs'),
          field('NODE', 'spec.nodeName'),
          field('ACCOUNT', 'spec.serviceAccountName'),
          resource('CPU_LIMIT', 'limits.cpu'),
          resource('CPU_REQUEST', 'requests.cpu', { divisor: '1m' }),
          resource('MEMORY_LIMIT', 'limits.memory'),
          resource('MEMORY_REQUEST', 'requests.memory', { divisor: '1Mi' }),
          resource('STORAGE_REQUEST', 'requests.ephemeral-storage'),
        ],
      },
      {
        name: 'free',
        image: busybox,
        command: ['env'],
        env: [
          resource('CPU_LIMIT', 'limits.cpu'),
          resource('MEMORY_LIMIT', 'limits.memory'),
          resource('OTHER', 'limits.memory', { containerName: 'limited' }),
        ],
      },
    ],
  },
});

const arguments_ = [
  { name: 'defaults', spec: {}, output: 'entry default args' },
  { name: 'args', spec: { args: ['own', '$(X)', '$$(X)', '$(NO)'] }, output: 'entry own x $(X) $(NO)' },
  { name: 'command', spec: { command: ['/bin/echo', 'mine-$(X)'] }, output: 'mine-x' },
  { name: 'both', spec: { command: ['/bin/echo', 'mine'], args: ['own'] }, output: 'mine own' },
];

const hostsPod = shellPod('hosts', '', {
  spec: {
    hostname: 'named',
    subdomain: 'below',
    hostAliases: [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }],
    volumes: [{ name: 'hosts', hostPath: { path: '/etc/hosts', type: 'File' } }],
    containers: [
      { name: 'managed', image: busybox, command: ['sh', '-c', 'cat /etc/hosts; echo "hostname=$(hostname)"'] },
      { name: 'own', image: busybox, command: ['cat', '/etc/hosts'], volumeMounts: [{ name: 'hosts', mountPath: '/etc/hosts' }] },
    ],
  },
});

const names = 'echo "hostname=$(hostname)"; echo "node=$(uname -n)"';
const subPathPod = (name: string, subPathExpr: string, env: readonly object[], more: object = {}): object =>
  shellPod(name, 'echo written > /sub/file; cat /whole/*/file; ls /whole', {
    spec: { volumes: [{ name: 'work', emptyDir: {} }] },
    container: {
      env,
      volumeMounts: [
        { name: 'work', mountPath: '/sub', subPathExpr },
        { name: 'work', mountPath: '/whole' },
      ],
    },
    ...more,
  });

beforeAll(async () => {
  await suite().loadImage(
    'docker.io/library/entry:1',
    busyboxImage({ Entrypoint: ['/bin/echo', 'entry'], Cmd: ['default', 'args'], WorkingDir: '/tmp' }),
  );
  await suite().create(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { 'data-1': 'one', data_2: 'two', 'a.b': 'dotted' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hidden' }, stringData: { password: 'p' } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'foo-service' },
      spec: {
        selector: { app: 'none' },
        ports: [
          { name: 'first', port: 8765, targetPort: 8080 },
          { name: 'u', port: 53, protocol: 'UDP' },
        ],
      },
    },
  );
  await suite().create(
    variables,
    facts,
    hostsPod,
    ...arguments_.map(({ name, spec }) =>
      shellPod(`run-${name}`, '', {
        spec: { containers: [{ name: 'c', image: 'docker.io/library/entry:1', env: [{ name: 'X', value: 'x' }], ...spec }] },
      }),
    ),
    shellPod('directory', '', {
      spec: {
        containers: [
          { name: 'image', image: 'docker.io/library/entry:1', command: ['pwd'] },
          { name: 'own', image: 'docker.io/library/entry:1', command: ['pwd'], workingDir: '/made/here' },
        ],
      },
    }),
    shellPod('services', 'env'),
    shellPod('no-services', 'env', { spec: { enableServiceLinks: false } }),
    shellPod('plain-name', names),
    shellPod('fqdn', names, { spec: { hostname: 'n', subdomain: 's', setHostnameAsFQDN: true } }),
    shellPod('long-fqdn', names, { spec: { hostname: 'n', subdomain: 'x'.repeat(60), setHostnameAsFQDN: true } }),
    shellPod('host-network', `cat /etc/hosts; echo "hostname=$(hostname)"; ip -4 addr | grep -c inet`, { spec: { hostNetwork: true } }),
    shellPod('host-pid', 'readlink /proc/1/exe || true; ps | wc -l; echo "pid=$$$$"', { spec: { hostPID: true } }),
    shellPod('host-ipc', 'echo "ipc=$(readlink /proc/self/ns/ipc)"', { spec: { hostIPC: true } }),
    shellPod('own-ipc', 'echo "ipc=$(readlink /proc/self/ns/ipc)"; echo "pid=$$$$"'),
    shellPod('shared-pid', 'ps', { spec: { shareProcessNamespace: true } }),
    subPathPod('sub-path', '$(POD)/$(FOO)', [field('POD', 'metadata.name'), { name: 'FOO', value: '' }]),
    subPathPod('sub-path-dots', '$(DOTS)', [{ name: 'DOTS', value: '..' }]),
    subPathPod('sub-path-absolute', '$(ABSOLUTE)', [{ name: 'ABSOLUTE', value: '/tmp' }]),
    subPathPod('sub-path-later', '$(WHERE)/deep', [field('WHERE', "metadata.annotations['where']")], {
      metadata: { annotations: { other: 'x' } },
    }),
    shellPod('missing-map', 'true', { container: { env: [fromConfigMap('A', 'nowhere', 'k')] } }),
    shellPod('missing-key', 'true', { container: { env: [fromConfigMap('A', 'settings', 'k')] } }),
  );
});

const waiting = (pod: Json): Json | undefined =>
  (pod['status']?.['containerStatuses'] as unknown as Json[] | undefined)?.[0]?.['state']?.['waiting'];

describe('variables', () => {
  test('from ConfigMaps and Secrets, with any prefix of printable ASCII', async () => {
    const got = values(await suite().output('variables'));
    expect(got).toMatchObject({
      'data-1': 'one',
      data_2: 'two',
      'a.b': 'dotted',
      'p-data-1': 'one',
      'p-a.b': 'dotted',
      'q:[$ ~password': 'p',
      FROM_MAP: 'one',
      FROM_SECRET: 'p',
      '1 odd:name': 'odd',
    });
    expect(Object.keys(got)).not.toContain('ABSENT_KEY');
    expect(Object.keys(got)).not.toContain('ABSENT_MAP');
  });

  test('compose earlier ones; $$ escapes; what is not known stays', async () => {
    const got = values(await suite().output('variables'));
    expect(got).toMatchObject({
      COMPOSED: 'foo;;$(LATER);;$(FOO);;$foo;;$(unclosed;;$(user-name)',
      LATER: 'later',
      'user-name': 'own',
      AGAIN: 'one two',
      PATH: '/bin:$(PATH)',
    });
  });

  test('refuse names with =', async () => {
    const pod = shellPod('equals', 'true', { container: { env: [{ name: 'A=B', value: 'x' }] } });
    const answer = await suite().ask('pods', {
      method: 'POST',
      body: JSON.stringify(pod),
      headers: { 'content-type': 'application/json' },
    });
    expect([answer.status, answer.body.toString()]).toEqual([422, expect.stringContaining('spec.containers[0].env[0].name')]);
  });

  test('tell facts of the pod and its resources', async () => {
    const { output, get, namespace } = suite();
    const got = values(await output('facts', 'limited'));
    const { metadata, spec, status } = await get<{ metadata: { uid: string }; spec: { nodeName: string }; status: Record<string, string> }>(
      'pods/facts',
    );
    expect(got).toMatchObject({
      NAME: 'facts',
      NAMESPACE: namespace,
      UID: metadata.uid,
      LABEL: 'facts',
      ANNOTATION: 'c',
      POD_IP: status['podIP'],
      POD_IPS: status['podIP'],
      HOST_IP: status['hostIP'],
      HOST_IPS: status['hostIP'],
      NODE: spec.nodeName,
      ACCOUNT: 'default',
      CPU_LIMIT: '2',
      CPU_REQUEST: '250',
      MEMORY_LIMIT: `${64 * 1024 * 1024}`,
      MEMORY_REQUEST: '32',
      STORAGE_REQUEST: `${1024 * 1024}`,
    });
  });

  test('default limits to what the node has to give', async () => {
    const got = values(await suite().output('facts', 'free'));
    const { items } = await suite().get<{ items: [{ status: { allocatable: { cpu: string; memory: string } } }] }>('/api/v1/nodes');
    const { cpu, memory } = items[0].status.allocatable;
    const cores = cpu.endsWith('m') ? Number(cpu.slice(0, -1)) / 1000 : Number(cpu);
    expect(got).toMatchObject({ CPU_LIMIT: `${Math.ceil(cores)}`, OTHER: `${64 * 1024 * 1024}` });
    expect(Number(got['MEMORY_LIMIT'])).toBe(Number(memory.replace('Ki', '')) * (memory.endsWith('Ki') ? 1024 : 1));
  });

  test('name the Services of the namespace, unless they are not wanted', async () => {
    const got = values(await suite().output('services'));
    const { spec } = await suite().get<{ spec: { clusterIP: string } }>('services/foo-service');
    expect(got).toMatchObject({
      FOO_SERVICE_SERVICE_HOST: spec.clusterIP,
      FOO_SERVICE_SERVICE_PORT: '8765',
      FOO_SERVICE_SERVICE_PORT_FIRST: '8765',
      FOO_SERVICE_PORT: `tcp://${spec.clusterIP}:8765`,
      FOO_SERVICE_PORT_8765_TCP: `tcp://${spec.clusterIP}:8765`,
      FOO_SERVICE_PORT_8765_TCP_PROTO: 'tcp',
      FOO_SERVICE_PORT_8765_TCP_PORT: '8765',
      FOO_SERVICE_PORT_8765_TCP_ADDR: spec.clusterIP,
      FOO_SERVICE_PORT_53_UDP_PROTO: 'udp',
      KUBERNETES_SERVICE_PORT_HTTPS: '443',
    });
    const without = values(await suite().output('no-services'));
    expect(Object.keys(without).filter((name) => name.startsWith('FOO_'))).toEqual([]);
    expect(without).toHaveProperty('KUBERNETES_SERVICE_HOST');
  });

  test.each([
    ['missing-map', /^configmap "nowhere" not found$/],
    ['missing-key', /^couldn't find key k in ConfigMap node-environment\/settings$/],
  ])('%s: the container waits', async (name, message) => {
    const found = await suite().pod(name, (pod) => `${waiting(pod)?.['reason']}` === 'CreateContainerConfigError', 'refused');
    expect(`${waiting(found)?.['message']}`).toMatch(message);
  });
});

test.each(['ConfigMap', 'Secret'])('a %s with an empty key is refused', async (kind) => {
  const body = JSON.stringify({ apiVersion: 'v1', kind, metadata: { name: 'empty-key' }, data: { '': 'dmFsdWU=' } });
  const answer = await suite().ask(`${kind.toLowerCase()}s`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  expect([answer.status, answer.body.toString()]).toEqual([422, expect.stringContaining('data[]: Invalid value')]);
});

test('the token’s issuer tells inside the pod how to check it', async () => {
  const { create, output, ask } = suite();
  await ask('pods/issuer?gracePeriodSeconds=0', { method: 'DELETE' });
  const program = `
import base64, json, ssl, urllib.request
at = '/var/run/secrets/kubernetes.io/serviceaccount/'
token = open(at + 'token').read()
part = lambda n: json.loads(base64.urlsafe_b64decode(token.split('.')[n] + '==='))
trust = ssl.create_default_context(cafile=at + 'ca.crt')
def ask(url):
    return json.load(urllib.request.urlopen(urllib.request.Request(url, headers={'Authorization': 'Bearer ' + token}), context=trust, timeout=10))
found = ask(part(1)['iss'] + '/.well-known/openid-configuration')
keys = ask(found['jwks_uri'])['keys']
print('issuer=%s' % (found['issuer'] == part(1)['iss']))
print('key=%s' % (part(0)['kid'] in [each['kid'] for each in keys]))
print('namespace=' + open(at + 'namespace').read())
print('for=%s %s' % (part(1)['sub'], part(1)['kubernetes.io']['pod']['name']))
`;
  await create(toolsPod('issuer', 'exec python3 -c "$P"', { container: { env: [{ name: 'P', value: program }] } }));
  expect(values(await output('issuer'))).toEqual({
    issuer: 'True',
    key: 'True',
    namespace: 'node-environment',
    for: 'system:serviceaccount:node-environment:default issuer',
  });
});

describe('commands', () => {
  test.each(arguments_)('entry point and arguments: $name', async ({ name, output }) => {
    expect((await suite().output(`run-${name}`)).trim()).toBe(output);
  });

  test("begin in the image's folder or their own, which is made", async () => {
    expect(await suite().output('directory', 'image')).toBe('/tmp\n');
    expect(await suite().output('directory', 'own')).toBe('/made/here\n');
  });
});

describe('subPathExpr', () => {
  test('names folders by variables', async () => {
    expect(await suite().output('sub-path')).toBe('written\nsub-path\n');
  });

  test.each(['sub-path-dots', 'sub-path-absolute'])('%s: refused', async (name) => {
    await suite().pod(name, (pod) => `${waiting(pod)?.['reason']}` === 'CreateContainerConfigError', 'refused');
  });

  test('works once the annotation is there', async () => {
    const { pod, patch, output } = suite();
    await pod('sub-path-later', (each) => `${waiting(each)?.['reason']}` === 'CreateContainerConfigError', 'refused');
    await patch('pods/sub-path-later', { metadata: { annotations: { where: 'here' } } });
    expect(await output('sub-path-later')).toContain('here');
  });
});

describe('names', () => {
  test("/etc/hosts is the kubelet's, unless the container brings its own", async () => {
    const managed = await suite().output('hosts', 'managed');
    const { status } = await suite().get<{ status: { podIP: string } }>('pods/hosts');
    expect(managed).toMatch(/^# Kubernetes-managed hosts file\./);
    expect(managed).toContain(`${status.podIP}\tnamed.below.node-environment.svc.cluster.local\tnamed\n`);
    expect(managed).toContain('# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar\n');
    expect(managed).toContain('hostname=named\n');
    expect(await suite().logs('hosts', 'own')).not.toContain('Kubernetes-managed');
  });

  test("the host's own with its network", async () => {
    const { stdout } = { stdout: await suite().output('host-network') };
    expect(stdout).not.toMatch(/^# Kubernetes-managed hosts file\.$/m);
    const { status } = await suite().get<{ status: { podIP: string; hostIP: string } }>('pods/host-network');
    expect(status.podIP).toBe(status.hostIP);
  });

  test('hostnames', async () => {
    expect(await suite().output('plain-name')).toBe('hostname=plain-name\nnode=plain-name\n');
    const full = 'n.s.node-environment.svc.cluster.local';
    expect(await suite().output('fqdn')).toBe(`hostname=${full}\nnode=${full}\n`);
    const events = async (): Promise<string> => JSON.stringify(await suite().get('events?fieldSelector=involvedObject.name=long-fqdn'));
    await expect.poll(events, { timeout: 30_000 }).toContain('FailedCreatePodSandBox');
    expect(await events()).toContain('FQDN n.');
  });

  test('processes and memory of the host, of the pod, of the container', async () => {
    expect(Number(values(await suite().output('own-ipc'))['pid'])).toBe(1);
    expect(Number(values(await suite().output('host-pid'))['pid'])).toBeGreaterThan(1);
    expect(values(await suite().output('host-ipc'))['ipc']).not.toBe(values(await suite().output('own-ipc'))['ipc']);
    expect(await suite().output('shared-pid')).toMatch(/ 1 65535 .*\n *\d+ root .*sh -c ps/);
  });
});

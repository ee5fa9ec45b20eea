import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Json, shellPod, toolsPod, useContainers, values } from './fixture.ts';
import { muslLookupImage } from './musl-lookup.ts';
import { askPod, netPod, whoAnswers } from './net-server.ts';

const suite = useContainers('names');
const zone = 'names.svc.cluster.local';
const ips: Record<string, string> = {};

const service = (name: string, spec: object): object => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
const selector = { app: 'net' };
const ports = [{ name: 'http', port: 80, targetPort: 'web' }];
const clusterIpOf = async (name: string): Promise<string> =>
  (await suite().get<{ spec: { clusterIP: string } }>(`services/${name}`)).spec.clusterIP;
const resolve = async (name: string): Promise<Json> => JSON.parse(await askPod(suite(), 'a', `/resolve?name=${name}`)) as Json;
const reverse = async (ip: string): Promise<Json> => JSON.parse(await askPod(suite(), 'a', `/reverse?ip=${ip}`)) as Json;
const list = async (path: string): Promise<readonly Json[]> => (await suite().get<{ items: readonly Json[] }>(path)).items;

/** Asks the DNS server of the pod's resolv.conf itself: record types that the C library has no call for. */
const question = `
import socket, struct, sys
server = [l.split()[1] for l in open('/etc/resolv.conf') if l.startswith('nameserver')][0]
kinds = {'A': 1, 'PTR': 12, 'AAAA': 28, 'SRV': 33}
def name(m, at):
    parts = []
    while m[at]:
        if m[at] >= 192: at = struct.unpack('>H', m[at:at+2])[0] & 0x3fff; continue
        parts.append(m[at+1:at+1+m[at]].decode()); at += 1 + m[at]
    return '.'.join(parts)
def skip(m, at):
    while m[at] and m[at] < 192: at += 1 + m[at]
    return at + (2 if m[at] else 1)
def ask(kind, what, tcp):
    q = struct.pack('>6H', 7, 256, 1, 0, 0, 0) + b''.join(bytes([len(p)]) + p.encode() for p in what.split('.')) + bytes([0, 0, kinds[kind], 0, 1])
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM); s.settimeout(5); s.connect((server, 53))
    if tcp:
        s.sendall(struct.pack('>H', len(q)) + q); m = b''
        while len(m) < 2 or len(m) < 2 + struct.unpack('>H', m[:2])[0]: m += s.recv(65536)
        m = m[2:]
    else: s.send(q); m = s.recv(65536)
    at, found = skip(m, 12) + 4, []
    for _ in range(struct.unpack('>H', m[6:8])[0]):
        at = skip(m, at); t, _, _, n = struct.unpack('>HHIH', m[at:at+10]); at += 10
        if t == 1: found.append(socket.inet_ntoa(m[at:at+4]))
        elif t == 12: found.append(name(m, at))
        elif t == 33: found.append('%d %s' % (struct.unpack('>H', m[at+4:at+6])[0], name(m, at + 6)))
        at += n
    return 'rcode %d' % (m[3] & 15) if m[3] & 15 else ','.join(sorted(found))
for line in sys.argv[1:]:
    kind, what = line.split(':')
    answers = {ask(kind, what, tcp) for tcp in (False, True)}
    print('%s=%s' % (line, ' | '.join(answers)))
`;

beforeAll(async () => {
  const container = { ports: [{ name: 'web', containerPort: 8080 }] };
  await suite().create(
    netPod('a', { labels: selector, container, spec: { hostname: 'host-a', subdomain: 'headless' } }),
    netPod('b', { labels: selector, http: [9090], container: { ports: [{ name: 'web', containerPort: 9090 }] } }),
    service('normal', { selector, ports }),
    service('headless', { selector, ports, clusterIP: 'None' }),
    service('alias', { type: 'ExternalName', externalName: `normal.${zone}` }),
  );
  await suite().ready('a', 'b');
  for (const name of ['a', 'b']) ips[name] = (await suite().get<{ status: { podIP: string } }>(`pods/${name}`)).status.podIP;
}, 120_000);

describe('names', () => {
  test('of services, headless ones, pods and the API server, by UDP and by TCP', async () => {
    const [normal, kubernetes] = [
      await clusterIpOf('normal'),
      (await suite().get('/api/v1/namespaces/default/services/kubernetes'))['spec']?.['clusterIP'],
    ];
    const reversed = (ip = ''): string => `${ip.split('.').reverse().join('.')}.in-addr.arpa`;
    const dashed = (ip = ''): string => ip.replaceAll('.', '-');
    const expected = {
      'A:kubernetes.default.svc.cluster.local': `${kubernetes}`,
      [`A:normal.${zone}`]: normal,
      [`A:headless.${zone}`]: [ips['a'], ips['b']].sort().join(','),
      [`A:host-a.headless.${zone}`]: ips['a'],
      [`SRV:_http._tcp.normal.${zone}`]: `80 normal.${zone}`,
      [`SRV:_http._tcp.headless.${zone}`]: [`8080 host-a.headless.${zone}`, `9090 ${dashed(ips['b'])}.headless.${zone}`].sort().join(','),
      [`A:${dashed(ips['b'])}.names.pod.cluster.local`]: ips['b'],
      [`PTR:${reversed(normal)}`]: `normal.${zone}`,
      [`PTR:${reversed(ips['a'])}`]: `host-a.headless.${zone}`,
      [`AAAA:normal.${zone}`]: '',
      [`AAAA:host-a.headless.${zone}`]: '',
      [`A:nobody.${zone}`]: 'rcode 3',
    };
    await suite().create(
      toolsPod('asker', `exec python3 -c "$Q" ${Object.keys(expected).join(' ')}`, {
        container: { env: [{ name: 'Q', value: question }] },
      }),
    );
    expect(values(await suite().output('asker'))).toEqual(expected);
  });

  test('short ones by the search path, with the C library and with busybox', async () => {
    const normal = await clusterIpOf('normal');
    for (const name of ['normal', 'normal.names', 'normal.names.svc', `normal.${zone}`, `normal.${zone}.`]) {
      await eventually(async () => expect((await resolve(name))['addresses']).toEqual([normal]));
    }
    expect((await resolve('headless'))['addresses']).toEqual([ips['a'], ips['b']].sort());
    expect((await resolve('host-a.headless.names'))['addresses']).toEqual([ips['a']]);
    expect(await resolve('nobody')).toHaveProperty('error');
    expect(await reverse(normal)).toEqual({ name: `normal.${zone}` });
    await suite().create(
      shellPod(
        'busy',
        'ping -c 1 -W 1 normal | head -n 1; nslookup -type=srv _http._tcp.normal.names.svc.cluster.local | grep service; cat /etc/resolv.conf',
      ),
    );
    const said = await suite().output('busy');
    expect(said).toContain(`PING normal (${normal})`);
    expect(said).toContain(`0 100 80 normal.${zone}`);
    expect(said).toMatch(/^search names\.svc\.cluster\.local svc\.cluster\.local cluster\.local/m);
    expect(said).toMatch(/^options ndots:5$/m);
  });

  test('the same with musl', async () => {
    const normal = await clusterIpOf('normal');
    const image = 'docker.io/library/musl-lookup:1';
    await suite().loadImage(image, muslLookupImage());
    const expected = {
      normal,
      'normal.names': normal,
      'normal.names.svc': normal,
      [`normal.${zone}`]: normal,
      [`normal.${zone}.`]: normal,
      alias: normal,
      'host-a.headless': ips['a'],
      'kubernetes.default': await suite()
        .get('/api/v1/namespaces/default/services/kubernetes')
        .then((found) => `${found['spec']?.['clusterIP']}`),
      nobody: '!',
      'nobody.default.svc': '!',
      [normal]: `normal.${zone}`,
    };
    await suite().create(shellPod('musl', '', { container: { image, command: ['/lookup', ...Object.keys(expected), 'headless'] } }));
    const { headless = '', ...found } = values(await suite().output('musl'));
    expect(found).toEqual(expected);
    expect(headless.split(',').sort()).toEqual([ips['a'], ips['b']].sort());
  });

  test('that are aliases follow their Service', async () => {
    const change = (spec: object): Promise<Json> => suite().patch('services/alias', { spec });
    const aliased = async (canonical: string, address: string): Promise<void> =>
      eventually(async () => expect(await resolve(`alias.${zone}`)).toEqual({ canonical, addresses: [address] }));
    await aliased(`normal.${zone}`, await clusterIpOf('normal'));
    await change({ externalName: `host-a.headless.${zone}` });
    await aliased(`host-a.headless.${zone}`, ips['a'] ?? '');
    await change({ type: 'ClusterIP', externalName: null, ports: [{ name: 'http', port: 80 }] });
    await aliased(`alias.${zone}`, await clusterIpOf('alias'));
  });

  test('in /etc/hosts: the pod’s own, and what its manifest adds', async () => {
    const said = await suite().exec('a', 'cat /etc/hosts; hostname; cat /etc/hostname');
    expect(said).toContain('# Kubernetes-managed hosts file.');
    expect(said).toContain(`${ips['a']}\thost-a.headless.${zone}\thost-a`);
    expect((await resolve('host-a'))['addresses']).toEqual([ips['a']]);
    await suite().create(
      shellPod('hosts', 'cat /etc/hosts', { spec: { hostAliases: [{ ip: '10.9.8.7', hostnames: ['foo.local', 'bar.local'] }] } }),
    );
    expect(await suite().output('hosts')).toContain('10.9.8.7\tfoo.local\tbar.local');
  });

  test('asked where the pod says', async () => {
    const own = { nameservers: ['1.1.1.1'], searches: ['resolv.conf.local'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] };
    const pod = (name: string, spec: object): object => shellPod(name, 'cat /etc/resolv.conf', { spec });
    await suite().create(
      pod('none', { dnsPolicy: 'None', dnsConfig: own }),
      pod('more', { dnsConfig: own }),
      pod('default', { dnsPolicy: 'Default' }),
      pod('on-node', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }),
    );
    const dns = (await suite().get('/api/v1/namespaces/kube-system/services/kube-dns'))['spec']?.['clusterIP'];
    expect((await suite().output('none')).trim().split('\n').sort()).toEqual([
      'nameserver 1.1.1.1',
      'options ndots:2 edns0',
      'search resolv.conf.local',
    ]);
    const more = await suite().output('more');
    expect(more).toMatch(new RegExp(`^nameserver ${dns}\\nnameserver 1\\.1\\.1\\.1$`, 'm'));
    expect(more).toMatch(/^search names\.svc\.cluster\.local svc\.cluster\.local cluster\.local.* resolv\.conf\.local$/m);
    expect(await suite().output('default')).not.toContain(`${dns}`);
    expect(await suite().output('on-node')).toContain(`nameserver ${dns}`);
  });
});

const slicesOf = (name: string): Promise<readonly Json[]> =>
  list(`/apis/discovery.k8s.io/v1/namespaces/names/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D${name}`);
const subsetsOf = async (name: string): Promise<readonly Json[]> =>
  ((await suite().get(`endpoints/${name}`))['subsets'] ?? []) as unknown as readonly Json[];

describe('endpoints', () => {
  test('of the API server', async () => {
    const at = '/api/v1/namespaces/default/endpoints/kubernetes';
    const [slice] = await list(
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes',
    );
    const { subsets } = await suite().get<{ subsets: readonly [{ addresses: [{ ip: string }]; ports: [{ port: number }] }] }>(at);
    expect(slice).toMatchObject({
      endpoints: [{ addresses: [subsets[0].addresses[0].ip], conditions: { ready: true } }],
      ports: [{ name: 'https', port: subsets[0].ports[0].port, protocol: 'TCP' }],
    });
  });

  test('of a named port that differs from pod to pod are two slices', async () => {
    await eventually(async () => {
      const slices = await slicesOf('normal');
      const seen = slices.map((each) => [
        (each['ports'] as unknown as [{ port: number }])[0].port,
        (each['endpoints'] as unknown as [{ addresses: string[] }])[0].addresses[0],
      ]);
      expect(seen.sort()).toEqual([
        [8080, ips['a']],
        [9090, ips['b']],
      ]);
      for (const { metadata } of slices)
        expect(metadata).toMatchObject({ labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' } });
    });
    expect(await subsetsOf('normal')).toHaveLength(2);
    expect(await whoAnswers(suite(), 'a', { host: 'normal', port: 80 })).toEqual(['a', 'b']);
  });

  test('come and go with the ports of pods', async () => {
    const at = (name: string, port: string, containerPort: number): object =>
      shellPod(name, 'sleep 1000', { metadata: { labels: { app: 'ports' } }, container: { ports: [{ name: port, containerPort }] } });
    const seen = (...expected: readonly [string, number][]): Promise<void> =>
      eventually(async () => {
        const slices = (await slicesOf('ports')) as unknown as readonly {
          ports?: readonly { name: string; port: number }[];
          endpoints?: readonly { targetRef: { name: string } }[];
        }[];
        const all = slices.flatMap(({ ports: open, endpoints }) =>
          (endpoints ?? []).flatMap(({ targetRef }) => (open ?? []).map(({ name, port }) => `${targetRef.name} ${name} ${port}`)),
        );
        expect(all.sort()).toEqual(expected.map(([name, port]) => `${name} ${port === 100 ? 'first' : 'second'} ${port}`).sort());
        const subsets = await subsetsOf('ports');
        expect(subsets.flatMap((each) => (each['addresses'] ?? []) as unknown as object[])).toHaveLength(expected.length);
      });
    await suite().create(
      service('ports', {
        selector: { app: 'ports' },
        ports: [
          { name: 'first', port: 80, targetPort: 'one' },
          { name: 'second', port: 81, targetPort: 'two' },
        ],
      }),
    );
    await seen();
    await suite().create(at('port-1', 'one', 100));
    await seen(['port-1', 100]);
    await suite().create(at('port-2', 'two', 101));
    await seen(['port-1', 100], ['port-2', 101]);
    await suite().delete('pods/port-1?gracePeriodSeconds=0');
    await seen(['port-2', 101]);
    await suite().delete('pods/port-2?gracePeriodSeconds=0');
    await seen();
    await suite().delete('services/ports');
  });

  test('of a hundred Services come soon', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `many-${index}`);
    await suite().create(...names.map((name) => service(name, { selector, ports })));
    await eventually(async () => {
      const slices = await list('/apis/discovery.k8s.io/v1/namespaces/names/endpointslices');
      const served = slices.filter((each) => (each['endpoints'] as unknown as object[] | undefined)?.length === 1);
      const owners = new Set(served.map(({ metadata }) => `${metadata?.['labels']?.['kubernetes.io/service-name']}`));
      expect(names.filter((name) => !owners.has(name))).toEqual([]);
    }, 20_000);
    await Promise.all(names.map((name) => suite().delete(`services/${name}`)));
  });

  test('are made anew when somebody deletes them, and go with their Service', async () => {
    await suite().create(service('steady', { selector: { app: 'net' }, ports: [{ port: 80, targetPort: 8080 }] }));
    await eventually(async () => {
      expect(await slicesOf('steady')).toMatchObject([{ endpoints: [{}, {}] }]);
      expect(await subsetsOf('steady')).toMatchObject([{ addresses: [{}, {}] }]);
    });
    await suite().delete('/apis/discovery.k8s.io/v1/namespaces/names/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dsteady');
    await suite().delete('endpoints/steady');
    await eventually(async () => {
      expect(await slicesOf('steady')).toMatchObject([{ endpoints: [{}, {}] }]);
      expect(await subsetsOf('steady')).toMatchObject([{ addresses: [{}, {}] }]);
    });
    await suite().delete('services/steady');
    await eventually(async () => {
      expect(await slicesOf('steady')).toEqual([]);
      expect((await suite().ask('endpoints/steady')).status).toBe(404);
    });
  });

  test('made by hand are mirrored', async () => {
    await suite().create(service('manual', { ports: [{ name: 'http', port: 80 }] }), {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'manual' },
      subsets: [{ addresses: [{ ip: ips['a'] }], ports: [{ name: 'http', port: 8080 }] }],
    });
    const mirrored = { metadata: { labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' } } };
    await eventually(async () =>
      expect(await slicesOf('manual')).toMatchObject([{ ...mirrored, ports: [{ port: 8080 }], endpoints: [{ addresses: [ips['a']] }] }]),
    );
    await eventually(async () => expect(await whoAnswers(suite(), 'a', { host: 'manual', port: 80 })).toEqual(['a']));
    await suite().patch('endpoints/manual', { subsets: [{ addresses: [{ ip: ips['b'] }], ports: [{ name: 'http', port: 9090 }] }] });
    await eventually(async () => expect(await whoAnswers(suite(), 'a', { host: 'manual', port: 80 })).toEqual(['b']));
    await suite().delete('endpoints/manual');
    await eventually(async () => expect(await slicesOf('manual')).toEqual([]));
  });

  test('of pods that end serve on until others are ready', async () => {
    const labels = { app: 'ending' };
    await suite().create(
      service('ending', { selector: labels, ports: [{ port: 80, targetPort: 8080 }] }),
      netPod('ending', {
        labels,
        container: { lifecycle: { preStop: { exec: { command: ['/bin/sleep', '1000'] } } } },
        spec: { terminationGracePeriodSeconds: 60 },
      }),
    );
    await suite().ready('ending');
    await eventually(async () => expect(await whoAnswers(suite(), 'a', { host: 'ending', port: 80 })).toEqual(['ending']));
    await suite().delete('pods/ending');
    await eventually(async () =>
      expect(await slicesOf('ending')).toMatchObject([{ endpoints: [{ conditions: { ready: false, serving: true, terminating: true } }] }]),
    );
    expect(await whoAnswers(suite(), 'a', { host: 'ending', port: 80 })).toEqual(['ending']);
    await suite().delete('pods/ending?gracePeriodSeconds=0');
  });
});

import { busyboxImage } from '@orrery/cri-oci/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { shellPod, useContainers, values } from './fixture.ts';

const suite = useContainers('volumes');

const configMap = (name: string, data: object, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
  ...more,
});
const mount = (name: string, mountPath: string, more: object = {}): object => ({ name, mountPath, ...more });
const pod = (name: string, script: string, volumes: object[], volumeMounts: object[], spec: object = {}, container: object = {}): object =>
  shellPod(name, script, { spec: { volumes, ...spec }, container: { volumeMounts, ...container } });

/** `key=<mode> <user>:<group> <content>` of files that links lead to. */
const show = (...paths: string[]): string => `for f in ${paths.join(' ')}; do echo "$f=$(stat -L -c '%a %u:%g' $f) $(cat $f)"; done;`;

const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Mi' } } };

const files = [
  { name: 'cm', configMap: { name: 'settings', defaultMode: 0o400 } },
  { name: 'items', configMap: { name: 'settings', items: [{ key: 'a', path: 'deep/er/a', mode: 0o640 }] } },
  { name: 'secret', secret: { secretName: 'hidden', defaultMode: 0o440 } },
  { name: 'absent', configMap: { name: 'nowhere', optional: true } },
  { name: 'absent-secret', secret: { secretName: 'nowhere', optional: true } },
  { name: 'key', configMap: { name: 'settings', optional: true, items: [{ key: 'nokey', path: 'x' }] } },
];

const facts = {
  name: 'facts',
  downwardAPI: {
    defaultMode: 0o444,
    items: [
      { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' }, mode: 0o400 },
      { path: 'annotation', fieldRef: { fieldPath: "metadata.annotations['a/b']" } },
      { path: 'cpu', resourceFieldRef: { containerName: 'c', resource: 'limits.cpu', divisor: '1m' } },
      { path: 'memory', resourceFieldRef: { containerName: 'c', resource: 'requests.memory', divisor: '1Mi' } },
      { path: 'node-cpu', resourceFieldRef: { containerName: 'free', resource: 'limits.cpu' } },
    ],
  },
};

const projected = {
  name: 'all',
  projected: {
    defaultMode: 0o444,
    sources: [
      { configMap: { name: 'settings', items: [{ key: 'a', path: 'cm/a' }] } },
      { secret: { name: 'hidden', items: [{ key: 'password', path: 'secret/p', mode: 0o400 }] } },
      { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      { serviceAccountToken: { path: 'token', audience: 'somebody', expirationSeconds: 600 } },
      { configMap: { name: 'nowhere', optional: true } },
    ],
  },
};

const filesPod = pod(
  'files',
  `${show('/cm/a', '/cm/binary', '/items/deep/er/a', '/secret/password')}
   echo "items=$(ls /items)"; echo "absent=$(ls /absent /absent-secret | tr '\\n' ' ')"; echo "key=$(ls /key)"
   echo "readonly=$(touch /cm/x 2>&1 || true)"; echo "link=$(readlink /cm/a) $(readlink /cm/..data | cut -c1-2)"`,
  files,
  files.map(({ name }) => mount(name, `/${name}`)),
);

const nonRoot = pod(
  'non-root',
  `echo "id=$(id -u):$(id -g) $(id -G)"; ${show('/cm/a', '/secret/password', '/all/token')} mkdir /scratch/d; echo x > /scratch/d/f
   echo "scratch=$(stat -c '%a %u:%g' /scratch) $(stat -c '%g' /scratch/d/f)"; echo "claim=$(stat -c %g /data) $(touch /data/x && stat -c %u:%g /data/x)"`,
  [...files.slice(0, 3), projected, { name: 'scratch', emptyDir: {} }, { name: 'data', persistentVolumeClaim: { claimName: 'owned' } }],
  [mount('cm', '/cm'), mount('secret', '/secret'), mount('all', '/all'), mount('scratch', '/scratch'), mount('data', '/data')],
  { securityContext: { runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, supplementalGroups: [4000] } },
);

const factsPod = shellPod('facts', '', {
  metadata: { labels: { app: 'facts', tier: 'one' }, annotations: { 'a/b': 'c' } },
  spec: {
    volumes: [facts, projected],
    containers: [
      {
        name: 'c',
        image: 'docker.io/library/busybox:1',
        command: [
          '/bin/sh',
          '-c',
          `${show('/facts/name', '/facts/labels', '/facts/annotation', '/facts/cpu', '/facts/memory', '/all/cm/a', '/all/secret/p', '/all/name')}
           echo "node=$(cat /facts/node-cpu)"; echo "token=$(cut -d. -f2 /all/token | tr '_-' '/+')"`,
        ],
        volumeMounts: [mount('facts', '/facts'), mount('all', '/all')],
        resources: { limits: { cpu: '250m', memory: '64Mi' }, requests: { cpu: '100m', memory: '32Mi' } },
      },
      { name: 'free', image: 'docker.io/library/busybox:1', command: ['true'] },
    ],
  },
});

const emptyDirs = pod(
  'empty-dirs',
  `for v in disk memory; do
     echo "$v=$(stat -c '%a %u:%g' /$v) $(df -T /$v | tail -n 1 | grep -c tmpfs)"
     (umask 0; echo $v > /$v/f; chmod 0644 /$v/f; echo "$v-file=$(stat -c %a /$v/f) $(cat /$v/f)")
   done; echo "size=$(df -k /sized | tail -n 1 | awk '{print $2}')"; dd if=/dev/zero of=/sized/big bs=1024 count=4096 2>/dev/null && echo full=no || echo full=yes
   cat /other/f`,
  [
    { name: 'disk', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory' } },
    { name: 'sized', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
  ],
  [mount('disk', '/disk'), mount('memory', '/memory'), mount('sized', '/sized'), mount('disk', '/other')],
);

const subPaths = pod(
  'sub-paths',
  `${show('/one/a', '/one/s', '/one/n', '/one/p')} echo made > /made/f; echo "made=$(cat /whole/dir/sub-paths/f)"; echo "made-mem=$(ls /whole-mem)"
   echo "expr=$(ls /whole/dir)"; echo "ro=$(touch /ro/x 2>&1 || true)"; echo claim > /claim/f; echo "claim=$(cat /whole-claim/inside/f)"`,
  [
    { name: 'cm', configMap: { name: 'settings' } },
    { name: 'secret', secret: { secretName: 'hidden' } },
    facts,
    projected,
    { name: 'disk', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory' } },
    { name: 'data', persistentVolumeClaim: { claimName: 'sub' } },
  ].map((each) =>
    each === facts ? { name: 'facts', downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } } : each,
  ),
  [
    mount('cm', '/one/a', { subPath: 'a' }),
    mount('secret', '/one/s', { subPath: 'password' }),
    mount('facts', '/one/n', { subPath: 'n' }),
    mount('all', '/one/p', { subPath: 'cm/a' }),
    mount('disk', '/made', { subPathExpr: 'dir/$(POD)' }),
    mount('disk', '/whole'),
    mount('disk', '/ro', { subPath: 'dir', readOnly: true }),
    mount('memory', '/mem', { subPath: 'x/y' }),
    mount('memory', '/whole-mem'),
    mount('data', '/claim', { subPath: 'inside' }),
    mount('data', '/whole-claim'),
  ],
  {},
  { env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
);

const live = shellPod('live', 'sleep 1000', {
  metadata: { labels: { colour: 'red' } },
  spec: {
    volumes: [
      { name: 'cm', configMap: { name: 'live' } },
      { name: 'late', configMap: { name: 'late', optional: true } },
      { name: 'secret', secret: { secretName: 'live' } },
      { name: 'all', projected: { sources: [{ configMap: { name: 'live' } }] } },
      { name: 'facts', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    ],
  },
  container: {
    volumeMounts: [
      mount('cm', '/cm'),
      mount('late', '/late'),
      mount('secret', '/secret'),
      mount('all', '/all'),
      mount('facts', '/facts'),
      mount('cm', '/fixed', { subPath: 'a' }),
    ],
  },
});

const modes = ['644', '666', '777'];
const written = (user: string, volume: string): string =>
  modes
    .map((mode) => `f=/${volume}/${user}-${mode}; echo x > $f; chmod ${mode} $f; echo "${user}-${volume}-${mode}=$(stat -c '%a %u' $f)";`)
    .join(' ');
const modePod = shellPod('modes', '', {
  spec: {
    volumes: [
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory' } },
    ],
    initContainers: [asUser('root', 0), asUser('other', 1001)],
    containers: [{ name: 'c', image: 'docker.io/library/busybox:1', command: ['ls', '/disk'], volumeMounts: [mount('disk', '/disk')] }],
  },
});
function asUser(name: string, runAsUser: number): object {
  return {
    name,
    image: 'docker.io/library/busybox:1',
    command: ['/bin/sh', '-c', written(`${runAsUser}`, 'disk') + written(`${runAsUser}`, 'memory')],
    securityContext: { runAsUser },
    volumeMounts: [mount('disk', '/disk'), mount('memory', '/memory')],
  };
}

const fifty = Array.from({ length: 50 }, (_, index) => `fifty-${index}`);
const together = pod(
  'together',
  `cat ${fifty.map((name) => `/${name}/a`).join(' ')} | wc -c; cat /first/a /second/a /first-secret/password /second-secret/password /both/a /again/a; echo`,
  [
    ...fifty.map((name) => ({ name, configMap: { name } })),
    { name: 'first', configMap: { name: 'settings' } },
    { name: 'second', configMap: { name: 'settings' } },
    { name: 'first-secret', secret: { secretName: 'hidden' } },
    { name: 'second-secret', secret: { secretName: 'hidden' } },
    { name: 'both', projected: { sources: [{ configMap: { name: 'settings' } }] } },
    { name: 'again', projected: { sources: [{ configMap: { name: 'settings' } }] } },
  ],
  [...fifty, 'first', 'second', 'first-secret', 'second-secret', 'both', 'again'].map((name) => mount(name, `/${name}`)),
);

const claimOf = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { ...claim, ...spec },
});
const user = (name: string, script: string): object =>
  pod(name, script, [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }], [mount('data', '/data')]);

const image = (name: string): object =>
  pod(
    name,
    `${show('/image/hello', '/sub/world')} echo "ro=$(touch /image/x 2>&1 || true)"`,
    [{ name: 'image', image: { reference: 'docker.io/library/files:1', pullPolicy: 'IfNotPresent' } }],
    [mount('image', '/image'), mount('image', '/sub', { subPath: 'dir' })],
  );

beforeAll(async () => {
  await suite().loadImage(
    'docker.io/library/files:1',
    busyboxImage({}, [
      { name: 'hello', content: 'hello' },
      { name: 'dir', type: 'directory', mode: 0o755 },
      { name: 'dir/world', content: 'world' },
    ]),
  );
  await suite().create(
    configMap('settings', { a: 'one' }, { binaryData: { binary: 'dHdv' } }),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hidden' }, stringData: { password: 'p' } },
    configMap('live', { a: 'old' }),
    ...fifty.map((name) => configMap(name, { a: 'x' })),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'live' }, stringData: { s: 'old' } },
    claimOf('owned'),
    claimOf('sub'),
    claimOf('data'),
  );
  await suite().create(
    filesPod,
    nonRoot,
    factsPod,
    emptyDirs,
    modePod,
    together,
    subPaths,
    live,
    image('image'),
    user('writer', 'echo kept > /data/f; sync; ls -ld /data'),
  );
});

test('pods are real containers, not plain processes', async () => {
  await suite().output('files');
  const { status } = await suite().get<{ status: { hostIP: string; containerStatuses: [{ containerID: string }] } }>('pods/files');
  expect(status.containerStatuses[0].containerID).not.toMatch(/^orrery-process:/);
  expect(status.hostIP).not.toMatch(/^127\./); // The pod bridge's own address; its range depends on what the machine uses already.
});

describe('files from the API', () => {
  test('modes, items, binary data, optional sources, links that are swapped', async () => {
    const got = values(await suite().output('files'));
    expect(got).toMatchObject({
      '/cm/a': '400 0:0 one',
      '/cm/binary': '400 0:0 two',
      '/items/deep/er/a': '640 0:0 one',
      '/secret/password': '440 0:0 p',
      items: 'deep',
      key: '',
      link: '..data/a ..',
    });
    expect(got['absent']).toBe('/absent:  /absent-secret: ');
    expect(got['readonly']).toContain('Read-only file system');
  });

  test('belong to fsGroup, and a user who is not root reads them', async () => {
    const got = values(await suite().output('non-root'));
    expect(got).toMatchObject({
      '/cm/a': '440 0:2000 one',
      '/secret/password': '440 0:2000 p',
      id: '1000:3000 3000 2000 4000',
      claim: '2000 1000:2000',
    });
    expect(got['/all/token']).toMatch(/^\d40 \d+:2000 ey/);
    expect(got['scratch']).toBe('2777 0:2000 2000');
  });

  test('downward API and projected sources', async () => {
    const got = values(await suite().output('facts', 'c'));
    expect(got).toMatchObject({
      '/facts/name': '444 0:0 facts',
      '/facts/annotation': '444 0:0 c',
      '/facts/cpu': '444 0:0 250',
      '/facts/memory': '444 0:0 32',
      '/all/cm/a': '444 0:0 one',
      '/all/secret/p': '400 0:0 p',
      '/all/name': '444 0:0 facts',
    });
    expect(got['/facts/labels']).toBe('400 0:0 app="facts"');
    const { items } = await suite().get<{ items: [{ status: { allocatable: { cpu: string } } }] }>('/api/v1/nodes');
    expect(Number(got['node'])).toBe(Math.ceil(cores(items[0].status.allocatable.cpu)));
    expect(JSON.parse(Buffer.from(got['token'] ?? '', 'base64').toString())).toMatchObject({
      aud: ['somebody'],
      sub: 'system:serviceaccount:volumes:default',
      'kubernetes.io': { pod: { name: 'facts' } },
    });
  });

  test('change while the pod runs, but not below subPath', async () => {
    const { create, exec, patch, ready } = suite();
    await ready('live');
    await Promise.all([
      create(configMap('late', { l: 'come' })),
      patch('configmaps/live', { data: { a: 'new', b: 'more' } }),
      patch('secrets/live', { stringData: { s: 'new' } }),
      patch('pods/live', { metadata: { labels: { colour: 'blue' } } }),
    ]);
    await eventually(async () => {
      const text = await exec('live', 'cat /cm/a /cm/b /late/l /secret/s /all/a /facts/labels; echo; cat /fixed');
      expect(text).toBe('newmorecomenewnewcolour="blue"\nold');
    }, 90_000);
    await patch('configmaps/live', { data: { a: null } });
    await eventually(async () => expect(await exec('live', 'ls /cm')).toBe('b\n'), 90_000);
  });

  test('immutable ones stay as they are', async () => {
    const { create, ask } = suite();
    await create(configMap('stone', { a: '1' }, { immutable: true }));
    const send = (body: object) =>
      ask('configmaps/stone', { method: 'PATCH', body: JSON.stringify(body), headers: { 'content-type': 'application/merge-patch+json' } });
    const refused = await send({ data: { a: '2' } });
    expect([refused.status, refused.body.toString()]).toEqual([422, expect.stringContaining('field is immutable when `immutable` is set')]);
    expect((await send({ immutable: false })).status).toBe(422);
    expect((await send({ metadata: { labels: { a: 'b' } } })).status).toBe(200);
  });
});

test('many volumes of one pod, several of one source, none in the way of another', async () => {
  expect(await suite().output('together')).toBe('50\noneonepponeone\n');
});

test('secrets: of another namespace, immutable, and inline volumes of a driver that is not there', async () => {
  const { ask, cluster, create, get, patch } = suite();
  await cluster.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'volumes-2' } },
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'mine', namespace: 'volumes-2' }, stringData: { password: 'theirs' } },
      ],
    }),
  });
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'mine' }, immutable: true, stringData: { password: 'mine' } };
  await ask('secrets/mine', { method: 'DELETE' });
  await ask('pods/namesake?gracePeriodSeconds=0', { method: 'DELETE' });
  await create(secret, pod('namesake', 'cat /s/password', [{ name: 's', secret: { secretName: 'mine' } }], [mount('s', '/s')]));
  expect(await suite().output('namesake')).toBe('mine');
  await expect(patch('secrets/mine', { stringData: { password: 'other' } })).rejects.toThrow('field is immutable when `immutable` is set');

  await ask('pods/inline?gracePeriodSeconds=0', { method: 'DELETE' });
  const csi = { driver: 'e2e.example.com', readOnly: true, fsType: 'ext4', volumeAttributes: { a: 'b' } };
  await create(pod('inline', 'true', [{ name: 'v', csi }], [mount('v', '/v')]));
  expect(await get('pods/inline')).toMatchObject({ spec: { volumes: expect.arrayContaining([{ name: 'v', csi }]) } });
  await patch('pods/inline', { metadata: { labels: { patched: 'yes' } } });
  expect((await get<{ items: object[] }>('pods?labelSelector=patched%3Dyes')).items).toHaveLength(1);
  await suite().delete('pods/inline');
  await eventually(async () => expect((await ask('pods/inline')).status).toBe(404));
});

const cores = (quantity: string): number => (quantity.endsWith('m') ? Number(quantity.slice(0, -1)) / 1000 : Number(quantity));

describe('scratch space', () => {
  test('on disk and in memory, shared by mounts, with a limit', async () => {
    const got = values(await suite().output('empty-dirs'));
    expect(got).toMatchObject({
      disk: '777 0:0 0',
      memory: '777 0:0 1',
      'disk-file': '644 disk',
      'memory-file': '644 memory',
      size: '1024',
      full: 'yes',
    });
  });

  test('files of each mode, by root and by others, on disk and in memory', async () => {
    const { output, logs } = suite();
    expect((await output('modes')).trim().split('\n')).toEqual(['0', '1001'].flatMap((uid) => modes.map((mode) => `${uid}-${mode}`)));
    const got = values((await logs('modes', 'root')) + (await logs('modes', 'other')));
    const expected = ['0', '1001'].flatMap((uid) =>
      ['disk', 'memory'].flatMap((volume) => modes.map((mode) => [`${uid}-${volume}-${mode}`, `${mode} ${uid}`])),
    );
    expect(got).toEqual(Object.fromEntries(expected));
  });

  test('sub paths of every kind of volume', async () => {
    const got = values(await suite().output('sub-paths'));
    expect(got).toMatchObject({
      '/one/a': '644 0:0 one',
      '/one/s': '644 0:0 p',
      '/one/n': '644 0:0 sub-paths',
      '/one/p': '444 0:0 one',
      made: 'sub-paths\nmade'.slice(10),
      'made-mem': 'x',
      expr: 'sub-paths',
      claim: 'claim',
    });
    expect(got['ro']).toContain('Read-only file system');
  });

  test('an image as a volume', async () => {
    const got = values(await suite().output('image'));
    expect(got).toMatchObject({ '/image/hello': '644 0:0 hello', '/sub/world': '644 0:0 world' });
    expect(got['ro']).toContain('Read-only file system');
  });
});

describe('claims of the default class', () => {
  test('are provisioned, written, outlive their pod, and go with their claim', async () => {
    const { create, output, get, ask } = suite();
    await output('writer');
    const bound = await get('persistentvolumeclaims/data');
    expect(bound).toMatchObject({
      spec: { volumeName: expect.stringMatching(/^pvc-/) },
      status: { phase: 'Bound', capacity: { storage: '10Mi' } },
    });
    await suite().delete('pods/writer');
    await create(user('reader', 'cat /data/f; sleep 1000'));
    await suite().ready('reader');
    await eventually(async () => expect(await suite().logs('reader')).toBe('kept\n'));
    await suite().delete('persistentvolumeclaims/data');
    expect(await get('persistentvolumeclaims/data')).toMatchObject({ metadata: { finalizers: ['kubernetes.io/pvc-protection'] } });
    await suite().delete('pods/reader');
    const volume = `/api/v1/persistentvolumes/${bound['spec']?.['volumeName']}`;
    await eventually(async () => {
      expect((await ask('persistentvolumeclaims/data')).status).toBe(404);
      expect((await ask(volume)).status).toBe(404);
    }, 60_000);
  });
});

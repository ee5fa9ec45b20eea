import { beforeAll, describe, expect, test } from 'vitest';
import { cells, eventually, type Kubectl, lines, useSuite } from './fixture.ts';

const suite = useSuite();
let k: Kubectl;

const configMap = (name: string, labels: Record<string, string>, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
});

beforeAll(async () => {
  k = await suite().namespace('get');
  await k('create deployment web --image=nginx:1.27 --replicas=2 --port=80');
  await k('rollout status deployment/web --timeout=60s');
  for (const [name, tier, size] of [
    ['c', 'front', '30'],
    ['a', 'back', '200'],
    ['b', 'front', '4'],
  ] as const)
    await k.create(configMap(name, { tier, set: 'letters' }, { size }));
});

describe('tables', () => {
  test('pods', async () => {
    const [header, first, second] = cells(await k('get pods'));
    expect(header).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE']);
    for (const row of [first, second]) expect(row?.slice(1, 4)).toEqual(['1/1', 'Running', '0']);
    expect(first?.[0]).toMatch(/^web-[a-z0-9]{5,10}-[a-z0-9]{5}$/);
  });

  test('wide adds columns', async () => {
    const [header, pod] = cells(await k('get pods -o wide'));
    expect(header).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP', 'NODE', 'NOMINATED NODE', 'READINESS GATES']);
    expect(pod?.[5]).toMatch(/^127\./);
    expect(pod?.slice(7)).toEqual(['<none>', '<none>']);
    const [deploymentHeader, deployment] = cells(await k('get deployment -o wide'));
    expect(deploymentHeader).toEqual(['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE', 'CONTAINERS', 'IMAGES', 'SELECTOR']);
    expect(deployment?.slice(0, 4)).toEqual(['web', '2/2', '2', '2']);
    expect(deployment?.slice(5)).toEqual(['nginx', 'nginx:1.27', 'app=web']);
    const [nodeHeader] = cells(await k('get nodes -o wide'));
    expect(nodeHeader).toEqual([
      ...['NAME', 'STATUS', 'ROLES', 'AGE', 'VERSION', 'INTERNAL-IP', 'EXTERNAL-IP', 'OS-IMAGE', 'KERNEL-VERSION'],
      'CONTAINER-RUNTIME',
    ]);
  });

  test('several kinds, with their names', async () => {
    const shown = await k('get deployments,replicasets,configmaps');
    expect(shown).toMatch(/^deployment\.apps\/web +2\/2 /m);
    expect(shown).toMatch(/^replicaset\.apps\/web-\w+ +2 +2 +2 /m);
    expect(shown).toMatch(/^configmap\/kube-root-ca\.crt +1 /m);
    expect(shown.split('\n\n')).toHaveLength(3);
  });

  test('get all', async () => {
    const shown = await k('get all');
    for (const part of ['pod/web-', 'deployment.apps/web', 'replicaset.apps/web-']) expect(shown).toContain(part);
  });

  test('all namespaces', async () => {
    const shown = cells(await k('get serviceaccounts --all-namespaces'));
    expect(shown[0]).toEqual(['NAMESPACE', 'NAME', 'SECRETS', 'AGE']);
    expect(shown.map(([namespace]) => namespace)).toEqual(expect.arrayContaining(['default', 'get', 'kube-public', 'kube-system']));
    expect(cells(await k('get services -A'))[1]?.slice(0, 6)).toEqual([
      'default',
      'kubernetes',
      'ClusterIP',
      expect.stringMatching(/^10\.\d+\.0\.1$/),
      '<none>',
      '443/TCP',
    ]);
  });

  test('namespaces', async () => {
    const names = cells(await k('get namespaces'));
    expect(names[0]).toEqual(['NAME', 'STATUS', 'AGE']);
    expect(names.slice(1).map(([name, status]) => `${name} ${status}`)).toEqual(
      ['default', 'get', 'kube-node-lease', 'kube-public', 'kube-system'].map((name) => `${name} Active`),
    );
  });

  test('labels as columns and in full', async () => {
    expect(cells(await k('get configmaps -l set=letters --show-labels'))).toEqual([
      ['NAME', 'DATA', 'AGE', 'LABELS'],
      ['a', '1', expect.any(String), 'set=letters,tier=back'],
      ['b', '1', expect.any(String), 'set=letters,tier=front'],
      ['c', '1', expect.any(String), 'set=letters,tier=front'],
    ]);
    expect(cells(await k('get configmaps -l set=letters -L tier')).map((row) => row.at(-1))).toEqual(['TIER', 'back', 'front', 'front']);
    expect(lines(await k('get configmaps -l set=letters --no-headers'))).toHaveLength(3);
  });

  test('nothing found', async () => {
    expect((await k.try('get limitranges')).stderr).toBe('No resources found in get namespace.\n');
    expect((await k.try('get pods -A -l none=such')).stderr).toBe('No resources found\n');
    expect(await k('get pods nope --ignore-not-found')).toBe('');
  });
});

describe('formats', () => {
  test('json and yaml say the same', async () => {
    const object = await k.json('get configmap a');
    expect(object).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { size: '200' }, metadata: { name: 'a', namespace: 'get' } });
    expect(object['metadata']).not.toHaveProperty('managedFields');
    const yaml = lines(await k('get configmap a -o yaml'));
    expect(yaml).toEqual([
      ...['apiVersion: v1', 'data:', '  size: "200"', 'kind: ConfigMap', 'metadata:'],
      expect.stringMatching(/^ {2}creationTimestamp: "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"$/),
      ...['  labels:', '    set: letters', '    tier: back', '  name: a', '  namespace: get'],
      expect.stringMatching(/^ {2}resourceVersion: "\d+"$/),
      expect.stringMatching(/^ {2}uid: [0-9a-f-]{36}$/),
    ]);
    expect(await k('get configmap a -o yaml --show-managed-fields')).toContain('manager: kubectl-create');
  });

  test('names, jsonpath, go templates and custom columns', async () => {
    expect(lines(await k('get cm -l set=letters -o name'))).toEqual(['configmap/a', 'configmap/b', 'configmap/c']);
    expect(await k(['get', 'cm', '-l', 'set=letters', '-o', 'jsonpath={range .items[*]}{.metadata.name}={.data.size} {end}'])).toBe(
      'a=200 b=4 c=30 ',
    );
    expect(await k(['get', 'pods', '-o', 'jsonpath={.items[?(@.status.phase=="Running")].spec.containers[*].image}'])).toBe(
      'nginx:1.27 nginx:1.27',
    );
    expect(await k(['get', 'cm', 'a', '-o', 'go-template={{.data.size}}'])).toBe('200');
    expect(lines(await k(['get', 'cm', '-l', 'set=letters', '-o', 'custom-columns=N:.metadata.name,SIZE:.data.size,X:.no']))).toEqual([
      'N     SIZE   X',
      'a     200    <none>',
      'b     4      <none>',
      'c     30     <none>',
    ]);
    expect(await k('get cm a -o kyaml')).toContain('kind: "ConfigMap"');
  });

  test('sorted', async () => {
    expect(lines(await k('get cm -l set=letters --sort-by=.data.size -o name'))).toEqual(['configmap/b', 'configmap/c', 'configmap/a']);
    const rows = cells(await k('get cm -l set=letters --sort-by=.metadata.creationTimestamp'));
    expect(
      rows
        .slice(1)
        .map(([name]) => name)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    expect(cells(await k('get pods --sort-by=.metadata.name'))).toHaveLength(3);
  });

  test('a subresource', async () => {
    expect(cells(await k('get deployment web --subresource=status'))[1]?.slice(0, 2)).toEqual(['web', '2/2']);
    expect(await k('get deployment web --subresource=scale -o jsonpath={.kind}/{.spec.replicas}/{.status.selector}')).toBe(
      'Scale/2/app=web',
    );
  });

  test('raw paths', async () => {
    expect(JSON.parse(await k('get --raw /api/v1/namespaces/get/configmaps/a'))).toMatchObject({ kind: 'ConfigMap' });
    expect(await k('get --raw /readyz')).toBe('ok');
    expect(await k('get --raw /livez?verbose')).toContain('livez check passed');
    expect(await k('get --raw /metrics')).toContain('# TYPE ');
  });
});

describe('selection', () => {
  test.each([
    ['tier=front', 'b c'],
    ['tier!=front,set', 'a'],
    ['tier in (back,front)', 'a b c'],
    ['tier notin (back),set', 'b c'],
    ['!tier', 'kube-root-ca.crt'],
  ])('labels %s', async (selector, names) => {
    expect(await k(['get', 'cm', '-l', selector, '-o', 'jsonpath={.items[*].metadata.name}'])).toBe(names);
  });

  test('fields', async () => {
    expect(await k('get cm --field-selector=metadata.name=a -o name')).toBe('configmap/a\n');
    expect(lines(await k('get pods --field-selector=status.phase=Running,spec.restartPolicy=Always -o name'))).toHaveLength(2);
    expect(await k('get pods --field-selector=status.phase!=Running -o name')).toBe('');
    expect(await k('get ns --field-selector=status.phase=Active,metadata.name=get -o name')).toBe('namespace/get\n');
    expect(await k.fails('get pods --field-selector=spec.wrong=x')).toBe(
      'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.wrong=x": field label not supported: spec.wrong\n',
    );
    expect(await k.fails(['get', 'pods', '-l', 'a in b'])).toContain('unable to parse requirement');
  });

  test('in chunks', async () => {
    const documents = Array.from({ length: 25 }, (_, i) => configMap(`many-${String(i).padStart(2, '0')}`, { many: 'yes' }));
    await k('create -f -', { input: documents.map((each) => JSON.stringify(each)).join('\n---\n') });
    const { stdout, stderr } = await k.try('get cm -l many=yes --chunk-size=10 -o name -v=8');
    expect(lines(stdout)).toEqual(documents.map(({ metadata }) => `configmap/${metadata.name}`));
    expect(stderr.match(/verb="GET" url="[^"]*\/configmaps\?[^"]*limit=10/g)).toHaveLength(3);
    expect(stderr.match(/continue=/g)?.length).toBeGreaterThanOrEqual(2);
    expect(lines(await k('get cm -l many=yes --chunk-size=7 --no-headers'))).toHaveLength(25);
  });
});

describe('watches', () => {
  test('-w shows what is there and what comes', async () => {
    const watching = k.start('get configmaps -l watched=yes -w --output-watch-events');
    await k.create(configMap('w1', { watched: 'yes' }));
    await watching.shows(/^ADDED +w1 +0 /m);
    await k(['patch', 'cm', 'w1', '-p', '{"data":{"a":"1"}}']);
    await watching.shows(/^MODIFIED +w1 +1 /m);
    await k('label cm w1 watched-');
    await watching.shows(/^DELETED +w1 +1 /m);
    await k('label cm w1 watched=yes');
    await watching.shows(/(ADDED +w1[\s\S]*){2}/);
    await k('delete cm w1');
    await watching.shows(/(DELETED +w1[\s\S]*){2}/);
    await watching.stop();
  });

  test('--watch-only starts with what comes', async () => {
    const watching = k.start('get configmaps --watch-only -o name');
    await eventually(async () => {
      await k(['patch', 'cm', 'a', '-p', JSON.stringify({ data: { at: String(Math.random()) } })]);
      if (!watching.output.includes('configmap/a')) throw new Error('not watching yet');
    });
    expect(watching.output).not.toContain('configmap/b');
    await watching.stop();
  });

  test('one object', async () => {
    const watching = k.start(['get', 'configmap', 'b', '-w', '-o', 'jsonpath={.data.size}{"\\n"}']);
    await watching.shows('4\n');
    await k(['patch', 'cm', 'b', '--type=merge', '-p', '{"data":{"size":"5"}}']);
    await watching.shows('4\n5\n');
    await watching.stop();
  });
});

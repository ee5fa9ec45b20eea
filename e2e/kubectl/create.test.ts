import { beforeAll, describe, expect, test } from 'vitest';
import { host, type Json, type Kubectl, lines, useSuite } from './fixture.ts';

const suite = useSuite();
let k: Kubectl;
beforeAll(async () => {
  k = await suite().namespace('create');
});

describe('generators', () => {
  test('namespace', async () => {
    expect(await k('create namespace made')).toBe('namespace/made created\n');
    expect(await k('get namespace made -o jsonpath={.metadata.labels}/{.spec.finalizers}/{.status.phase}')).toBe(
      '{"kubernetes.io/metadata.name":"made"}/["kubernetes"]/Active',
    );
  });

  test('deployment', async () => {
    expect(await k('create deployment d --image=nginx --image=busybox --replicas=0')).toBe('deployment.apps/d created\n');
    expect(await k.json('get deployment d')).toMatchObject({
      metadata: { labels: { app: 'd' }, generation: 1 },
      spec: {
        replicas: 0,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
        template: { spec: { containers: [{ name: 'nginx', imagePullPolicy: 'Always' }, { name: 'busybox' }], dnsPolicy: 'ClusterFirst' } },
      },
    });
  });

  test('job', async () => {
    expect(await k('create job j --image=busybox -- sh -c true')).toBe('job.batch/j created\n');
    expect(await k.json('get job j')).toMatchObject({
      spec: {
        completions: 1,
        parallelism: 1,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        template: { spec: { restartPolicy: 'Never' } },
      },
    });
  });

  test('configmap', async () => {
    const file = await suite().file('settings.properties', 'colour=blue\n');
    const env = await suite().file('some.env', '# comment\nA=1\nB=two words\n');
    expect(await k(['create', 'configmap', 'literal', '--from-literal=a=1', '--from-literal=b=x=y'])).toBe('configmap/literal created\n');
    expect(await k('get cm literal -o jsonpath={.data}')).toBe('{"a":"1","b":"x=y"}');
    await k(['create', 'configmap', 'file', `--from-file=${file}`, `--from-file=other=${file}`]);
    expect(await k('get cm file -o jsonpath={.data}')).toBe('{"other":"colour=blue\\n","settings.properties":"colour=blue\\n"}');
    await k(['create', 'configmap', 'env', `--from-env-file=${env}`]);
    expect(await k('get cm env -o jsonpath={.data}')).toBe('{"A":"1","B":"two words"}');
    expect(await k(['create', 'configmap', 'hashed', '--from-literal=a=1', '--append-hash'])).toMatch(
      /^configmap\/hashed-\w{10} created\n$/,
    );
    const binary = await suite().file('blob', '');
    await host('sh', '-c', `printf '\\377\\000' > ${binary}`);
    await k(['create', 'configmap', 'binary', `--from-file=blob=${binary}`]);
    expect(await k('get cm binary -o jsonpath={.binaryData}')).toBe('{"blob":"/wA="}');
  });

  test('secret generic', async () => {
    expect(await k('create secret generic s --from-literal=password=hunter2')).toBe('secret/s created\n');
    expect(await k('get secret s -o jsonpath={.type}/{.data.password}')).toBe('Opaque/aHVudGVyMg==');
    expect(await k('describe secret s')).toContain('password:  7 bytes');
    await k('create secret generic typed --type=kubernetes.io/basic-auth --from-literal=username=a --from-literal=password=b');
    expect(await k('get secret typed --no-headers')).toMatch(/^typed +kubernetes\.io\/basic-auth +2 /);
  });

  test('secret tls and docker-registry', async () => {
    const { folder } = suite();
    await host(
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=a',
      '-keyout',
      `${folder}/key.pem`,
      '-out',
      `${folder}/cert.pem`,
    );
    await k(['create', 'secret', 'tls', 't', `--cert=${folder}/cert.pem`, `--key=${folder}/key.pem`]);
    expect(Object.keys((await k.json('get secret t'))['data'] ?? {})).toEqual(['tls.crt', 'tls.key']);
    await k('create secret docker-registry r --docker-server=example.com --docker-username=u --docker-password=p');
    expect(await k('get secret r -o jsonpath={.type}')).toBe('kubernetes.io/dockerconfigjson');
  });

  test('services', async () => {
    expect(await k('create service clusterip ci --tcp=80:8080')).toBe('service/ci created\n');
    expect(await k.json('get service ci')).toMatchObject({
      spec: {
        type: 'ClusterIP',
        clusterIP: expect.stringMatching(/^10\./),
        clusterIPs: [expect.stringMatching(/^10\./)],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
        sessionAffinity: 'None',
        ports: [{ name: '80-8080', port: 80, targetPort: 8080, protocol: 'TCP' }],
        selector: { app: 'ci' },
      },
    });
    await k('create service clusterip headless --clusterip=None');
    expect(await k('get service headless --no-headers')).toMatch(/^headless +ClusterIP +None +<none> +<none> /);
    await k('create service nodeport np --tcp=80:8080 --node-port=30123');
    expect(await k('get service np --no-headers')).toMatch(/^np +NodePort +10\.\S+ +<none> +80:30123\/TCP /);
    expect(await k.fails('create service nodeport np2 --tcp=80:8080 --node-port=30123')).toBe(
      'error: failed to create NodePort service: Service "np2" is invalid: spec.ports[0].nodePort: Invalid value: 30123: provided port is already allocated\n',
    );
    await k('create service loadbalancer lb --tcp=80');
    expect(await k('get service lb --no-headers')).toMatch(/^lb +LoadBalancer +10\.\S+ +(<pending>|[\d.]+) +80:3\d{4}\/TCP /);
    await k('create service externalname en --external-name=example.com');
    expect(await k('get service en --no-headers')).toMatch(/^en +ExternalName +<none> +example\.com +<none> /);
  });

  test('serviceaccount', async () => {
    expect(await k('create serviceaccount robot')).toBe('serviceaccount/robot created\n');
    expect(await k('get sa robot --no-headers')).toMatch(/^robot +0 /);
  });

  test('priorityclass', async () => {
    expect(await k('create priorityclass high --value=1000 --description=urgent')).toBe('priorityclass.scheduling.k8s.io/high created\n');
    expect(await k('get priorityclass high --no-headers')).toMatch(/^high +1000 +false +\S+ +PreemptLowerPriority$/m);
    expect(await k('get priorityclasses -o name')).toContain('system-node-critical');
    await k('run first --image=busybox --restart=Never --overrides={"spec":{"priorityClassName":"high"}} -- true');
    expect(await k('get pod first -o jsonpath={.spec.priority}')).toBe('1000');
  });

  test('quota', async () => {
    expect(await k('create quota q --hard=pods=10,requests.cpu=2500m')).toBe('resourcequota/q created\n');
    expect(await k('get quota q -o jsonpath={.spec.hard}')).toBe('{"pods":"10","requests.cpu":"2500m"}');
  });

  test('a manifest with a generated name', async () => {
    const made = await k.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'many-' } });
    expect(made).toMatch(/^configmap\/many-[bcdfghjklmnpqrstvwxz2456789]{5} created\n$/);
  });

  test('several manifests, and a list', async () => {
    const file = await suite().file(
      'several.yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: two}, stringData: {a: b}}\n',
    );
    expect(lines(await k(['create', '-f', file]))).toEqual(['configmap/one created', 'secret/two created']);
    expect(await k('get secret two -o jsonpath={.data.a}')).toBe('Yg==');
    expect(lines(await k(['delete', '-f', file]))).toEqual([
      'configmap "one" deleted from create namespace',
      'secret "two" deleted from create namespace',
    ]);
  });
});

describe('expose', () => {
  test('deployments, pods and services', async () => {
    await k('create deployment shown --image=nginx --port=80 --replicas=0');
    expect(await k('expose deployment shown --port=8080 --target-port=80')).toBe('service/shown exposed\n');
    expect(await k('get service shown -o jsonpath={.spec.selector.app}/{.spec.ports[0].port}/{.spec.ports[0].targetPort}')).toBe(
      'shown/8080/80',
    );
    expect(await k('expose service shown --name=shown-too --type=NodePort --port=90')).toBe('service/shown-too exposed\n');
    await k('run bare --image=nginx --port=80 --labels=x=y');
    expect(await k('expose pod bare --name=bare')).toBe('service/bare exposed\n');
    expect(await k('get service bare -o jsonpath={.spec.selector}')).toBe('{"x":"y"}');
    expect(await k.fails('expose deployment shown --port=8080')).toBe(
      'Error from server (AlreadyExists): services "shown" already exists\n',
    );
  });
});

describe('--dry-run=server', () => {
  const dry = async (args: string): Promise<string> => k(`${args} --dry-run=server`);
  test.each([
    ['create configmap dry --from-literal=a=b', 'configmap/dry created (server dry run)\n'],
    ['create deployment dry --image=nginx', 'deployment.apps/dry created (server dry run)\n'],
    ['create namespace dry', 'namespace/dry created (server dry run)\n'],
    ['run dry --image=nginx', 'pod/dry created (server dry run)\n'],
    ['create service clusterip dry --tcp=80', 'service/dry created (server dry run)\n'],
    ['delete serviceaccount default', 'serviceaccount "default" deleted from create namespace (server dry run)\n'],
    ['label serviceaccount default a=b', 'serviceaccount/default labeled (server dry run)\n'],
    ['annotate serviceaccount default a=b', 'serviceaccount/default annotated (server dry run)\n'],
    ['patch serviceaccount default -p {"automountServiceAccountToken":false}', 'serviceaccount/default patched\n'],
    ['scale deployment d --replicas=7', 'deployment.apps/d scaled (server dry run)\n'],
    ['set image deployment d nginx=nginx:2', 'deployment.apps/d image updated (server dry run)\n'],
    ['taint nodes --all dry=yes:NoSchedule', ' tainted\n'],
  ])('%s', async (args, says) => {
    expect(await dry(args)).toContain(says);
  });

  test('nothing is kept', async () => {
    for (const each of ['configmap', 'deployment', 'namespace', 'pod', 'service'])
      expect(await k.fails(`get ${each} dry`)).toContain('"dry" not found');
    expect(await k('get serviceaccount default -o jsonpath={.metadata.labels}{.metadata.annotations}{.automountServiceAccountToken}')).toBe(
      '',
    );
    expect(await k('get deployment d -o jsonpath={.spec.replicas}')).toBe('0');
    expect(await k(['get', 'nodes', '-o', 'jsonpath={.items[*].spec.taints}'])).toBe('');
  });

  test('defaults are shown', async () => {
    const pod = JSON.parse(await k('run dry --image=nginx:1 --dry-run=server -o json')) as Json;
    expect(pod).toMatchObject({
      metadata: { uid: expect.any(String), creationTimestamp: expect.any(String) },
      spec: {
        containers: [{ imagePullPolicy: 'IfNotPresent', terminationMessagePath: '/dev/termination-log' }],
        serviceAccountName: 'default',
        schedulerName: 'default-scheduler',
        tolerations: [{ key: 'node.kubernetes.io/not-ready' }, { key: 'node.kubernetes.io/unreachable' }],
      },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    });
    expect(pod['metadata']).not.toHaveProperty('resourceVersion');
  });
});

describe('errors', () => {
  test('NotFound', async () => {
    expect(await k.fails('get pod nope')).toBe('Error from server (NotFound): pods "nope" not found\n');
    expect(await k.fails('get deployments nope nope2')).toBe(
      'Error from server (NotFound): deployments.apps "nope" not found\nError from server (NotFound): deployments.apps "nope2" not found\n',
    );
    expect(await k.fails('create configmap x -n nowhere')).toBe('error: failed to create configmap: namespaces "nowhere" not found\n');
  });

  test('AlreadyExists', async () => {
    expect(await k.fails('create namespace create')).toBe('Error from server (AlreadyExists): namespaces "create" already exists\n');
    expect(await k.fails('create deployment d --image=nginx')).toBe(
      'error: failed to create deployment: deployments.apps "d" already exists\n',
    );
  });

  test('Invalid', async () => {
    expect(await k.fails('run BAD --image=nginx')).toMatch(
      /^The Pod "BAD" is invalid: \n\* metadata\.name: Invalid value: "BAD": a lowercase RFC 1123 subdomain must consist of/,
    );
    expect(await k.fails('scale deployment d --replicas=-2')).toContain('The --replicas=COUNT flag is required');
    expect(await k.fails(['patch', 'deployment', 'd', '-p', '{"spec":{"replicas":-2}}'])).toBe(
      'The Deployment "d" is invalid: spec.replicas: Invalid value: -2: must be greater than or equal to 0\n',
    );
    expect(await k.fails(['patch', 'deployment', 'd', '-p', '{"spec":{"selector":{"matchLabels":{"a":"b"}}}}'])).toMatch(
      /^The Deployment "d" is invalid: \n?.*spec\.(selector|template\.metadata\.labels): Invalid value: /s,
    );
    expect(await k.fails('label deployment d not/a/label=x')).toMatch(
      /^The Deployment "d" is invalid: metadata\.labels: Invalid value: "not\/a\/label": /,
    );
  });

  test('unknown, duplicate and wrong fields', async () => {
    const unknown = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'u' }, dota: {} };
    expect(await k.fails('create -f -', { input: JSON.stringify(unknown) })).toBe(
      'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dota"\n',
    );
    const { stdout, stderr } = await k.try('create --validate=warn -f -', { input: JSON.stringify(unknown) });
    expect([stdout, stderr]).toEqual(['configmap/u created\n', 'Warning: unknown field "dota"\n']);
    const wrong = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'w' }, data: { a: 1 } };
    expect(await k.fails('create -f -', { input: JSON.stringify(wrong) })).toBe(
      'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string\n',
    );
  });

  test('an unknown kind', async () => {
    const input = JSON.stringify({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } });
    expect(await k.fails('create -f -', { input })).toBe(
      'error: resource mapping not found for name: "w" namespace: "" from "STDIN": no matches for kind "Widget" in version "example.com/v1"\nensure CRDs are installed first\n',
    );
    expect(await k.fails('get widgets')).toBe(`error: the server doesn't have a resource type "widgets"\n`);
  });

  test('Conflict', async () => {
    await k('create configmap old --from-literal=a=1');
    const stale = await k('get configmap old -o json');
    await k(['patch', 'configmap', 'old', '-p', '{"data":{"a":"2"}}']);
    expect(await k.fails('replace -f -', { input: stale })).toBe(
      'Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on configmaps "old": the object has been modified; please apply your changes to the latest version and try again\n',
    );
  });

  test('a token', async () => {
    const { code, stdout, stderr } = await k.try('create token default');
    if (code === 0) expect(stdout.split('.')).toHaveLength(3);
    else expect(stderr).toMatch(/^error: failed to create token: {1,2}the server could not find the requested resource/);
  });
});

import { beforeAll, describe, expect, test } from 'vitest';
import { type Kubectl, lines, useSuite } from './fixture.ts';

const suite = useSuite();
let k: Kubectl;
beforeAll(async () => {
  k = await suite().namespace('change');
});

const configMap = (name: string, data: Record<string, string>, labels?: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...(labels === undefined ? {} : { labels }) },
  data,
});

const deployment = (name: string, container: object, replicas = 0) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'nginx:1', ...container }] } },
  },
});

const data = async (name: string): Promise<string> => k(`get cm ${name} -o jsonpath={.data}`);

describe('apply', () => {
  test('creates, leaves alone, configures, and removes what is gone from the manifest', async () => {
    expect(await k.apply(configMap('a', { x: '1', y: '2' }))).toBe('configmap/a created\n');
    expect(await k.apply(configMap('a', { x: '1', y: '2' }))).toBe('configmap/a unchanged\n');
    await k(['patch', 'cm', 'a', '-p', '{"data":{"other":"kept"}}']);
    expect(await k.apply(configMap('a', { x: '3' }))).toBe('configmap/a configured\n');
    expect(await data('a')).toBe('{"other":"kept","x":"3"}');
  });

  test('deployments are unchanged by their own defaults', async () => {
    const manifest = deployment('applied', { ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] });
    expect(await k.apply(manifest)).toBe('deployment.apps/applied created\n');
    expect(await k.apply(manifest)).toBe('deployment.apps/applied unchanged\n');
    expect(await k.apply(deployment('applied', { env: [{ name: 'B', value: '2' }] }))).toBe('deployment.apps/applied configured\n');
    expect(
      await k('get deployment applied -o jsonpath={.spec.template.spec.containers[0].env}{.spec.template.spec.containers[0].ports}'),
    ).toBe('[{"name":"B","value":"2"}]');
  });

  test('a folder and a kustomization', async () => {
    await suite().file('one.json', configMap('k-one', { a: '1' }));
    await suite().file('kustomization.yaml', 'namePrefix: pre-\nresources: [one.json]\n');
    expect(await k(['apply', '-k', suite().folder])).toBe('configmap/pre-k-one created\n');
  });

  test('last applied is shown, set and edited', async () => {
    await k.apply(configMap('last', { a: '1' }));
    expect(await k('apply view-last-applied configmap/last')).toContain('data:\n  a: "1"\n');
    const file = await suite().file('last.json', configMap('last', { a: '9' }));
    expect(await k(['apply', 'set-last-applied', '-f', file])).toBe('configmap/last configured\n');
    expect(await k('apply view-last-applied configmap last -o json')).toContain('"a": "9"');
    const env = { ...suite().cluster.env, KUBE_EDITOR: `sed -i 's/a: "9"/a: "10"/'` };
    expect(await k('apply edit-last-applied configmap/last', { env })).toBe('configmap/last edited\n');
    expect(await k('apply view-last-applied configmap/last')).toContain('a: "10"');
  });

  test('--prune removes what is no longer applied', async () => {
    const list = (...items: object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const labels = { app: 'pruned' };
    await k('apply -f -', { input: list(configMap('p1', { a: '1' }, labels), configMap('p2', {}, labels)) });
    await k('create configmap p3');
    await k('label configmap p3 app=pruned');
    const { stdout } = await k.try('apply --prune -l app=pruned --prune-allowlist=core/v1/ConfigMap -f -', {
      input: list(configMap('p1', { a: '1' }, labels)),
    });
    expect(lines(stdout)).toEqual(['configmap/p1 unchanged', 'configmap/p2 pruned']);
    expect(await k('get cm -l app=pruned -o name')).toBe('configmap/p1\nconfigmap/p3\n');
  });

  test('in the dry', async () => {
    const input = JSON.stringify(configMap('a', { x: '7' }));
    expect(await k('apply --dry-run=server -f -', { input })).toBe('configmap/a configured (server dry run)\n');
    expect(await data('a')).toBe('{"other":"kept","x":"3"}');
  });
});

describe('apply --server-side', () => {
  const apply = (object: object, ...flags: string[]) =>
    k.try(['apply', '--server-side', ...flags, '-f', '-'], { input: JSON.stringify(object) });

  test('fields have managers', async () => {
    expect((await apply(configMap('ss', { a: '1', b: '2' }))).stdout).toBe('configmap/ss serverside-applied\n');
    expect((await apply(configMap('ss', { a: '1' }))).stdout).toBe('configmap/ss serverside-applied\n');
    expect(await data('ss')).toBe('{"a":"1"}');
    const managed = await k.json('get cm ss --show-managed-fields');
    expect(managed).toMatchObject({
      metadata: {
        managedFields: [
          { manager: 'kubectl', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': { 'f:a': {} } } },
        ],
      },
    });
  });

  test('a conflict names the other manager and what to do', async () => {
    await apply(configMap('ss', { a: '1' }));
    const { code, stderr } = await apply(configMap('ss', { a: 'mine' }), '--field-manager=other');
    expect(code).toBe(1);
    expect(stderr).toBe(`error: Apply failed with 1 conflict: conflict with "kubectl": .data.a
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
`);
    expect((await apply(configMap('ss', { a: 'mine' }), '--field-manager=other', '--force-conflicts')).stdout).toBe(
      'configmap/ss serverside-applied\n',
    );
    expect(await data('ss')).toBe('{"a":"mine"}');
    const { stderr: several } = await apply(configMap('ss', { a: '1', b: '1' }), '--field-manager=third');
    expect(several).toContain('conflict with "other": .data.a');
  });

  test('a conflict with an update', async () => {
    await k('create deployment updated --image=nginx:1 --replicas=0');
    await k('set image deployment/updated nginx=nginx:2');
    const manifest = deployment('updated', {});
    const container = { name: 'nginx', image: 'nginx:3' };
    const { stderr } = await apply({
      ...manifest,
      spec: { ...manifest.spec, template: { ...manifest.spec.template, spec: { containers: [container] } } },
    });
    expect(stderr).toMatch(
      /Apply failed with 1 conflict: conflict with "kubectl-set" using apps\/v1: \.spec\.template\.spec\.containers\[name="nginx"\]\.image/,
    );
  });

  test('client-side managers are taken over', async () => {
    await k.apply(configMap('moved', { a: '1', b: '1' }));
    expect((await apply(configMap('moved', { a: '2' }))).stdout).toBe('configmap/moved serverside-applied\n');
    expect(await data('moved')).toBe('{"a":"2"}');
  });
});

describe('diff', () => {
  test('shows what apply would change, exit code 1', async () => {
    await k.apply(configMap('d', { x: '1' }));
    const same = await k.try('diff -f -', { input: JSON.stringify(configMap('d', { x: '1' })) });
    expect(same).toEqual({ code: 0, stdout: '', stderr: '' });
    const { code, stdout } = await k.try('diff -f -', { input: JSON.stringify(configMap('d', { x: '2' })) });
    expect(code).toBe(1);
    expect(lines(stdout)).toEqual(expect.arrayContaining(['-  x: "1"', '+  x: "2"']));
    const served = await k.try('diff --server-side --force-conflicts -f -', { input: JSON.stringify(configMap('d', { x: '3' })) });
    expect([served.code, lines(served.stdout)]).toEqual([1, expect.arrayContaining(['+  x: "3"'])]);
    const fresh = await k.try('diff -f -', { input: JSON.stringify(configMap('fresh', { x: '2' })) });
    expect([fresh.code, fresh.stdout]).toEqual([1, expect.stringContaining('+  name: fresh')]);
  });
});

describe('edit', () => {
  const edit = (script: string, args: string) =>
    k.try(args, { env: { ...suite().cluster.env, KUBE_EDITOR: `sed -i ${script}`, TMPDIR: suite().folder } });
  test('by an editor', async () => {
    await k.create(configMap('e', { x: 'old' }));
    expect((await edit(`'s/x: old/x: new/'`, 'edit configmap e')).stdout).toBe('configmap/e edited\n');
    expect(await data('e')).toBe('{"x":"new"}');
    expect((await edit(`''`, 'edit configmap e')).stderr).toBe('Edit cancelled, no changes made.\n');
    expect((await edit(`'s/"x": "new"/"x": "json"/'`, 'edit configmap e -o json')).stdout).toContain('"x": "json"');
    expect((await edit(`'s/replicas: 0/replicas: 5/'`, 'edit deployment applied --subresource=status')).code).toBe(0);
  });

  test('an invalid edit is refused', async () => {
    const { code, stderr } = await edit(`'s/replicas: 0/replicas: -1/'`, 'edit deployment applied');
    expect(code).toBe(1);
    expect(stderr).toContain('error: deployments.apps "applied" is invalid\n');
  });
});

describe('replace', () => {
  test('a whole object, and by force a new one', async () => {
    await k.create(configMap('r', { a: '1', b: '2' }));
    const uid = await k('get cm r -o jsonpath={.metadata.uid}');
    const input = JSON.stringify(configMap('r', { c: '3' }));
    expect(await k('replace -f -', { input })).toBe('configmap/r replaced\n');
    expect(await data('r')).toBe('{"c":"3"}');
    expect(await k('get cm r -o jsonpath={.metadata.uid}')).toBe(uid);
    expect(lines(await k('replace --force -f -', { input }))).toEqual([
      'configmap "r" deleted from change namespace',
      'configmap/r replaced',
    ]);
    expect(await k('get cm r -o jsonpath={.metadata.uid}')).not.toBe(uid);
    expect(await k.fails('replace -f -', { input: JSON.stringify(configMap('none', {})) })).toBe(
      'Error from server (NotFound): error when replacing "STDIN": configmaps "none" not found\n',
    );
  });

  test('a subresource', async () => {
    const shown = await k.json('get deployment applied');
    const input = JSON.stringify({ ...shown, spec: { ...shown['spec'], replicas: 9 }, status: { ...shown['status'], replicas: 3 } });
    expect(await k('replace --subresource=status -f -', { input })).toBe('deployment.apps/applied replaced\n');
    expect(await k('get deployment applied -o jsonpath={.spec.replicas}')).toBe('0');
  });
});

describe('patch', () => {
  test('strategic: lists of containers merge by name', async () => {
    await k.create(deployment('p', { env: [{ name: 'A', value: '1' }] }));
    const patch = (spec: object, ...more: string[]) =>
      k(['patch', 'deployment', 'p', '-p', JSON.stringify({ spec: { template: { spec } } }), ...more]);
    expect(await patch({ containers: [{ name: 'c', env: [{ name: 'B', value: '2' }] }] })).toBe('deployment.apps/p patched\n');
    expect(await patch({ containers: [{ name: 'c', env: [{ name: 'B', value: '2' }] }] })).toBe('deployment.apps/p patched (no change)\n');
    expect(await k('get deployment p -o jsonpath={.spec.template.spec.containers[*].env[*].name}')).toBe('B A');
    await patch({
      containers: [
        { name: 'c', env: [{ name: 'A', $patch: 'delete' }] },
        { name: 'd', image: 'busybox' },
      ],
    });
    expect(
      await k('get deployment p -o jsonpath={.spec.template.spec.containers[*].name}/{.spec.template.spec.containers[*].env[*].name}'),
    ).toBe('c d/B');
    await patch({ $retainKeys: ['containers'], containers: [{ name: 'd', $patch: 'delete' }] });
    await patch({ containers: [{ name: 'only', image: 'nginx' }] }, '--type=merge');
    expect(await k('get deployment p -o jsonpath={.spec.template.spec.containers[*].name}')).toBe('only');
  });

  test('json', async () => {
    const patch = (...operations: object[]) => k.try(['patch', 'cm', 'j', '--type=json', '-p', JSON.stringify(operations)]);
    await k.create(configMap('j', { a: '1' }));
    const done = await patch(
      { op: 'test', path: '/data/a', value: '1' },
      { op: 'move', from: '/data/a', path: '/data/b' },
      { op: 'add', path: '/metadata/annotations', value: { 'x/y': '1' } },
      { op: 'replace', path: '/metadata/annotations/x~1y', value: '2' },
    );
    expect(done.stdout).toBe('configmap/j patched\n');
    expect(await data('j')).toBe('{"b":"1"}');
    expect(await k('get cm j -o jsonpath={.metadata.annotations}')).toBe('{"x/y":"2"}');
  });

  test('json patches that do not fit', async () => {
    await k.create(configMap('jj', { a: '1' }));
    const fails = (...operations: object[]) => k.fails(['patch', 'cm', 'jj', '--type=json', '-p', JSON.stringify(operations)]);
    expect(await fails({ op: 'test', path: '/data/a', value: '2' })).toBe(
      'The request is invalid: the server rejected our request due to an error in our request\n',
    );
    expect(await fails({ op: 'remove', path: '/data/none' })).toBe(
      'The request is invalid: the server rejected our request due to an error in our request\n',
    );
  });

  test('merge removes by null', async () => {
    await k.create(configMap('m', { a: '1', b: '2' }));
    await k(['patch', 'cm', 'm', '--type=merge', '-p', '{"data":{"a":null,"c":"3"}}']);
    expect(await data('m')).toBe('{"b":"2","c":"3"}');
  });

  test('subresources', async () => {
    const patch = (sub: string, value: object) =>
      k(['patch', 'deployment', 'p', `--subresource=${sub}`, '--type=merge', '-p', JSON.stringify(value)]);
    expect(await patch('scale', { spec: { replicas: 2 } })).toBe('scale.autoscaling/p patched\n');
    expect(await k('get deployment p -o jsonpath={.spec.replicas}')).toBe('2');
    await patch('scale', { spec: { replicas: 0 } });
    expect(await patch('status', { spec: { replicas: 9 }, status: { conditions: [] } })).toMatch(/^deployment\.apps\/p patched/);
    expect(await k('get deployment p -o jsonpath={.spec.replicas}')).toBe('0');
  });

  test('from a file, of a file', async () => {
    const object = await suite().file('patched.json', configMap('m', {}));
    const patch = await suite().file('patch.yaml', 'data:\n  z: "26"\n');
    expect(await k(['patch', '-f', object, '--patch-file', patch])).toBe('configmap/m patched\n');
    expect(await data('m')).toContain('"z":"26"');
  });
});

describe('label and annotate', () => {
  test('labels', async () => {
    await k.create(configMap('l', {}));
    expect(await k('label cm l a=1 b=2')).toBe('configmap/l labeled\n');
    expect(await k('label cm l a=1')).toBe('configmap/l not labeled\n');
    expect(await k.fails('label cm l a=2')).toBe(`error: 'a' already has a value (1), and --overwrite is false\n`);
    expect(await k('label cm l a=2 --overwrite')).toBe('configmap/l labeled\n');
    expect(await k('label cm l b-')).toBe('configmap/l unlabeled\n');
    expect(await k('label cm l --list')).toBe('a=2\n');
    expect(await k('label cm -l a=2 found=yes')).toBe('configmap/l labeled\n');
    expect(await k('label cm l late=x --resource-version=1 --overwrite').catch((err: Error) => err.message)).toContain(
      'the object has been modified',
    );
    expect(lines(await k('label cm --all all=yes'))).toContain('configmap/l labeled');
  });

  test('annotations', async () => {
    expect(await k(['annotate', 'cm', 'l', 'note=some words'])).toBe('configmap/l annotated\n');
    expect(await k('annotate cm l --list')).toContain('note=some words');
    expect(await k('annotate cm l note-')).toBe('configmap/l annotated\n');
    expect(await k('get cm l -o jsonpath={.metadata.annotations}')).toBe('');
  });
});

describe('set', () => {
  const path = (tail: string) => k(`get deployment s -o jsonpath={.spec.template.spec${tail}}`);
  test('image, env, resources, serviceaccount', async () => {
    await k.create(deployment('s', {}));
    expect(await k('set image deployment/s c=nginx:2')).toBe('deployment.apps/s image updated\n');
    expect(await path('.containers[0].image')).toBe('nginx:2');
    expect(await k.fails('set image deployment/s x=nginx:2')).toBe('error: unable to find container named "x"\n');
    expect(await k('set image deployment/s *=nginx:3')).toBe('deployment.apps/s image updated\n');
    expect(await k('set env deployment/s A=1 B=2')).toBe('deployment.apps/s env updated\n');
    expect(await k('set env deployment/s A-')).toBe('deployment.apps/s env updated\n');
    expect(await path('.containers[0].env')).toBe('[{"name":"B","value":"2"}]');
    expect(lines(await k('set env deployment/s --list'))).toEqual(['# Deployment s, container c', 'B=2']);
    await k('create configmap vars --from-literal=COLOUR=blue');
    expect(await k('set env deployment/s --from=configmap/vars --prefix=X_')).toBe('deployment.apps/s env updated\n');
    expect(await path('.containers[0].env[1].valueFrom')).toBe('{"configMapKeyRef":{"key":"COLOUR","name":"vars"}}');
    expect(await k('set resources deployment/s --limits=cpu=200m,memory=512Mi --requests=cpu=100m')).toBe(
      'deployment.apps/s resource requirements updated\n',
    );
    expect(await path('.containers[0].resources')).toBe('{"limits":{"cpu":"200m","memory":"512Mi"},"requests":{"cpu":"100m"}}');
    expect(await k('set serviceaccount deployment s robot')).toBe('deployment.apps/s serviceaccount updated\n');
    expect(await path('.serviceAccountName')).toBe('robot');
  });

  test('selector', async () => {
    await k('create service clusterip sel --tcp=80');
    expect(await k('set selector service sel a=b,c=d')).toBe('service/sel selector updated\n');
    expect(await k('get service sel -o jsonpath={.spec.selector}')).toBe('{"a":"b","c":"d"}');
  });
});

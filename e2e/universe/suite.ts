import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../tools/generate/source.ts';
import type { TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { ask, helloUniverse, type LaunchOptions, launchProgram, objectsIn, urlOf } from './launcher.ts';

const minute = { timeout: 120_000 };

/** What `examples/hello-universe` does on a cluster, whatever runs its pods. */
export function describeHelloUniverse(cluster: () => TestCluster): void {
  let count = 0;
  const newNamespace = async (): Promise<string> => {
    count += 1;
    const name = `hello-${count}-${Date.now().toString(36)}`;
    await cluster().kubectl(['create', 'namespace', name]);
    await eventually(() => cluster().kubectl(['get', 'serviceaccount', 'default', '-n', name]));
    return name;
  };
  const start = (namespace: string, args: readonly string[], options?: LaunchOptions) =>
    launchProgram(cluster(), helloUniverse, ['--kubernetes', `--namespace=${namespace}`, '--port', '0:8080', ...args], options);
  const expectNothing = (namespace: string, timeoutMs = 30_000): Promise<void> =>
    eventually(async () => expect(await objectsIn(cluster(), namespace)).toEqual([]), timeoutMs);

  test('plain: it serves here', minute, async () => {
    const launcher = launchProgram(cluster(), helloUniverse, [], { env: { PORT: '0' } });
    await eventually(() => expect(launcher.stdout()).toMatch(/ listens \(here\)\n/));
    launcher.child.kill('SIGTERM');
    expect(await launcher.ended).toBe(0);
  });

  test('five pods answer by the printed URL, in one log; Ctrl+C leaves nothing', minute, async () => {
    const namespace = await newNamespace();
    const launcher = start(namespace, ['--replicas', '5']);
    const url = await urlOf(launcher);
    const answers = new Set<string>();
    for (let i = 0; i < 25 && answers.size < 5; i += 1) answers.add(await ask(`${url}/${i}`));
    expect([...answers].sort()).toHaveLength(5);
    for (const answer of answers) expect(answer).toMatch(/^Hello, universe! This is hello-universe-\w{5}-\w+-\w{5}\.\n$/);
    const lines = (): string[] => launcher.stdout().split('\n');
    await eventually(() => {
      expect(lines().filter((line) => /^\w{5} \| \S+ listens \(pod\)$/.test(line))).toHaveLength(5);
      for (let i = 0; i < 5; i += 1) expect(lines().filter((line) => line.endsWith(` | GET /${i}`))).toHaveLength(1);
    });
    launcher.child.kill('SIGINT');
    expect(await launcher.ended).toBe(130);
    await expectNothing(namespace);
  });

  test('a pod that is deleted is replaced: the URL and the log go on', minute, async () => {
    const namespace = await newNamespace();
    const launcher = start(namespace, []);
    const url = await urlOf(launcher);
    const first = await ask(url);
    await cluster().kubectl(['delete', 'pod', '-n', namespace, '-l', 'app.kubernetes.io/component=program', '--now']);
    const second = await eventually(async () => {
      const text = await ask(url);
      expect(text).not.toBe(first);
      return text;
    }, 30_000);
    expect(second).toMatch(/^Hello, universe!/);
    await eventually(() => expect(launcher.stdout().match(/ listens \(pod\)$/gm)).toHaveLength(2));
    launcher.child.kill('SIGINT');
    await launcher.ended;
    await expectNothing(namespace);
  });

  test('killed: the cluster collects it in 30 s', minute, async () => {
    const namespace = await newNamespace();
    const launcher = start(namespace, ['--replicas', '2']);
    await urlOf(launcher);
    launcher.child.kill('SIGKILL');
    await launcher.ended;
    expect(await objectsIn(cluster(), namespace)).not.toEqual([]);
    await expectNothing(namespace, 45_000);
  });

  test('stopped at any moment it leaves nothing', { timeout: 180_000 }, async () => {
    const namespace = await newNamespace();
    // Spread over the first two seconds: packing, permissions, root, objects, pods, ready. Ten at a time.
    const moments = Array.from({ length: 50 }, (_, index) => 100 + index * 40);
    for (let at = 0; at < moments.length; at += 10) {
      await Promise.all(
        moments.slice(at, at + 10).map(async (ms) => {
          const launcher = start(namespace, []);
          await new Promise((resolve) => setTimeout(resolve, ms));
          launcher.child.kill('SIGINT');
          await launcher.ended;
        }),
      );
    }
    await expectNothing(namespace, 45_000);
  });

  test('what is not allowed is named before anything is created', minute, async () => {
    const namespace = await newNamespace();
    const kubeconfig = await restricted(cluster(), namespace, [{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }]);
    const launcher = start(namespace, [], { kubeconfig });
    expect(await launcher.ended).toBe(1);
    expect(launcher.stderr()).toMatch(/^not allowed in namespace "\S+": create jobs\.batch, .*create deployments\.apps/m);
    expect(
      (await objectsIn(cluster(), namespace)).filter(
        (name) => /^(job|deployment|pod|service)/.test(name) && !name.startsWith('serviceaccount'),
      ),
    ).toEqual([]);
  });

  test('a service account with rights in one namespace is enough', minute, async () => {
    const namespace = await newNamespace();
    const kubeconfig = await restricted(cluster(), namespace, [
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['create', 'get'] },
      { apiGroups: [''], resources: ['configmaps', 'services'], verbs: ['create'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['create'] },
      { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'patch', 'delete'] },
    ]);
    const before = await objectsIn(cluster(), namespace);
    const launcher = start(namespace, [], { kubeconfig });
    expect(await ask(await urlOf(launcher))).toMatch(/^Hello, universe!/);
    launcher.child.kill('SIGINT');
    expect(await launcher.ended).toBe(130);
    await eventually(async () => expect(await objectsIn(cluster(), namespace)).toEqual(before), 30_000);
  });

  test('a job: its output, its exit code, nothing left', minute, async () => {
    const namespace = await newNamespace();
    const program = await writeProgram(
      cluster().home,
      'sums.mjs',
      `import { universe } from '@orrery/universe';
const { args } = await universe({ name: 'sums', job: true });
console.log('the sum is', args.map(Number).reduce((a, b) => a + b, 0));
process.exitCode = 7;
`,
    );
    const launcher = launchProgram(cluster(), program, ['--kubernetes', `--namespace=${namespace}`, '1', '2', '39']);
    expect([await launcher.ended, launcher.stdout()], launcher.stderr()).toEqual([7, 'the sum is 42\n']);
    await expectNothing(namespace);
  });

  test('--dry-run prints what it would create, and creates nothing', minute, async () => {
    const namespace = await newNamespace();
    const launcher = start(namespace, ['--dry-run', '-o', 'yaml', '--replicas=3']);
    expect(await launcher.ended).toBe(0);
    expect(await objectsIn(cluster(), namespace)).toEqual([]);
    const checked = await cluster().kubectl(['create', '--dry-run=server', '-o', 'name', '-f', '-'], { input: launcher.stdout() });
    expect(
      checked
        .trim()
        .split('\n')
        .map((line) => line.split('/')[0]),
    ).toEqual(['job.batch', 'configmap', 'service', 'deployment.apps']);
  });
}

/** A program in a package of its own that has installed ours. @returns its path */
export async function writeProgram(home: string, name: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(home, 'program-'));
  await mkdir(join(folder, 'node_modules/@orrery'), { recursive: true });
  await symlink(join(root, 'packages/universe'), join(folder, 'node_modules/@orrery/universe'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

/** A kubeconfig of a service account that has these rights in its namespace, and no others. */
async function restricted({ kubectl, kubeconfig, home }: TestCluster, namespace: string, rules: readonly object[]): Promise<string> {
  const name = 'launcher';
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, namespace }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });
  const token = (await kubectl(['create', 'token', name, '-n', namespace])).trim();
  const view = JSON.parse(await kubectl(['config', 'view', '--raw', '-o', 'json', '--kubeconfig', kubeconfig])) as {
    readonly clusters: readonly object[];
  };
  const path = join(home, `${namespace}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ ...view.clusters[0], name: 'there' }],
    users: [{ name, user: { token } }],
    contexts: [{ name: 'there', context: { cluster: 'there', user: name, namespace } }],
    'current-context': 'there',
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

import { PassThrough } from 'node:stream';
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  Log,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  Watch,
} from 'client-node-for-tests';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../../tools/generate/source.ts';
import { run } from '../../support/cluster.ts';
import { idle } from '../drivers.ts';
import { eventually, type Kubectl, type Suite } from '../fixture.ts';

export function libraryTests(suite: () => Suite): void {
  const namespace = 'library';
  let k: Kubectl;
  let config: KubeConfig;

  beforeAll(async () => {
    k = await suite().namespace(namespace);
    config = new KubeConfig();
    config.loadFromFile(suite().cluster.kubeconfig);
  });

  describe('@kubernetes/client-node', () => {
    test('creates, reads, replaces, patches and deletes', async () => {
      const core = config.makeApiClient(CoreV1Api);
      const made = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'c' }, data: { a: '1' } } });
      expect(made.metadata?.uid).toBeDefined();
      expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);
      const replaced = await core.replaceNamespacedConfigMap({ namespace, name: 'c', body: { ...made, data: { a: '2' } } });
      expect(replaced.data).toEqual({ a: '2' });
      await expect(core.replaceNamespacedConfigMap({ namespace, name: 'c', body: { ...made, data: {} } })).rejects.toMatchObject({
        code: 409,
      });
      const patched = await core.patchNamespacedConfigMap(
        { namespace, name: 'c', body: { data: { b: '3' } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
      expect(patched.data).toEqual({ a: '2', b: '3' });
      expect((await core.listNamespacedConfigMap({ namespace, fieldSelector: 'metadata.name=c' })).items).toHaveLength(1);
      await core.deleteNamespacedConfigMap({ namespace, name: 'c' });
      await expect(core.readNamespacedConfigMap({ namespace, name: 'c' })).rejects.toMatchObject({ code: 404 });
    });

    test('an informer sees every change', async () => {
      const core = config.makeApiClient(CoreV1Api);
      const seen: string[] = [];
      await k('create configmap before --from-literal=n=0');
      const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
        core.listNamespacedConfigMap({ namespace }),
      );
      const note = (what: string) => (object: V1ConfigMap) =>
        void seen.push(`${what} ${object.metadata?.name} ${object.data?.['n'] ?? ''}`);
      informer.on('add', note('add'));
      informer.on('update', note('update'));
      informer.on('delete', note('delete'));
      await informer.start();
      expect(seen).toContain('add before 0');
      await k('create configmap after --from-literal=n=1');
      await eventually(async () => expect(seen).toContain('add after 1'));
      await k(['patch', 'configmap', 'after', '-p', '{"data":{"n":"2"}}']);
      await eventually(async () => expect(seen).toContain('update after 2'));
      await k('delete configmap after');
      await eventually(async () => expect(seen).toContain('delete after 2'));
      expect(informer.get('before', namespace)?.data).toEqual({ n: '0' });
      expect(informer.get('after', namespace)).toBeUndefined();
      await informer.stop();
    });

    test('a watch from a version, with bookmarks', async () => {
      const seen: string[] = [];
      const { metadata } = await config.makeApiClient(CoreV1Api).listNamespacedSecret({ namespace });
      const controller = await new Watch(config).watch(
        `/api/v1/namespaces/${namespace}/secrets`,
        { resourceVersion: metadata?.resourceVersion, allowWatchBookmarks: true },
        (phase: string, object: { metadata: { name?: string } }) => void seen.push(`${phase} ${object.metadata.name ?? ''}`),
        () => undefined,
      );
      await k('create secret generic s --from-literal=a=b');
      await k('delete secret s');
      await eventually(async () => expect(seen.filter((each) => !each.startsWith('BOOKMARK'))).toEqual(['ADDED s', 'DELETED s']));
      controller.abort();
    });

    test('scales, follows logs, execs', async () => {
      await k('create deployment d --image=nginx --replicas=1');
      const apps = config.makeApiClient(AppsV1Api);
      await eventually(async () => {
        const scale = await apps.readNamespacedDeploymentScale({ namespace, name: 'd' });
        expect(scale).toMatchObject({ spec: { replicas: 1 }, status: { selector: 'app=d' } });
        await apps.replaceNamespacedDeploymentScale({ namespace, name: 'd', body: { ...scale, spec: { replicas: 0 } } });
      });
      expect((await apps.readNamespacedDeployment({ namespace, name: 'd' })).spec?.replicas).toBe(0);
      await k.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p' },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'c', image: 'busybox', command: ['sh', '-c', `echo hello; ${idle}`] }],
        },
      });
      await k('wait pod/p --for=condition=Ready --timeout=30s');
      const text = collect();
      await new Log(config).log(namespace, 'p', 'c', text.stream, {});
      await eventually(async () => expect(text.value()).toBe('hello\n'));
      const { code, stdout, stderr } = await run(
        process.execPath,
        ['--input-type=module', '-e', execProgram, suite().cluster.kubeconfig, namespace],
        {
          cwd: root,
        },
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const { out, err, status } = JSON.parse(stdout) as Record<string, unknown>;
      expect([out, err]).toEqual(['out\n', 'err\n']);
      expect(status).toMatchObject({
        status: 'Failure',
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '3' }] },
      });
    });
  });

  /** In a process of its own: here, the library's own imports would be resolved by the conditions of the test runner. */
  const execProgram = `
import { Exec, KubeConfig } from 'client-node-for-tests';
import { PassThrough } from 'node:stream';
const config = new KubeConfig();
config.loadFromFile(process.argv[1]);
const collect = () => { const stream = new PassThrough(); stream.text = ''; stream.on('data', (chunk) => (stream.text += chunk)); return stream; };
const out = collect(), err = collect();
await new Exec(config).exec(process.argv[2], 'p', 'c', ['sh', '-c', 'echo out; echo err >&2; exit 3'], out, err, null, false, (status) =>
  console.log(JSON.stringify({ out: out.text, err: err.text, status })));
`;

  function collect(): { stream: PassThrough; value(): string } {
    const stream = new PassThrough();
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    return { stream, value: () => text };
  }
}

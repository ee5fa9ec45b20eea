import { PassThrough, Writable } from 'node:stream';
import * as k8s from 'client-node-for-tests';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

let cluster: TestCluster;
let config: k8s.KubeConfig;
let core: k8s.CoreV1Api;
let apps: k8s.AppsV1Api;
beforeAll(async () => {
  cluster = await startTestCluster();
  config = new k8s.KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  core = config.makeApiClient(k8s.CoreV1Api);
  apps = config.makeApiClient(k8s.AppsV1Api);
});
afterAll(() => cluster.dispose());

const namespace = 'default';
const configMap = (name: string, value: string): k8s.V1ConfigMap => ({ metadata: { name, labels: { app: 'a' } }, data: { value } });
function sink(): { readonly stream: Writable; text(): string } {
  let text = '';
  const write = (chunk: Buffer, _: string, done: () => void): void => {
    text += chunk.toString();
    done();
  };
  return { stream: new Writable({ write }), text: () => text };
}

describe('@kubernetes/client-node, unmodified', () => {
  test('typed: create, read, list, replace, patch, delete, and errors', async () => {
    const made = await core.createNamespacedConfigMap({ namespace, body: configMap('typed', '1') });
    expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);
    const replaced = await core.replaceNamespacedConfigMap({ namespace, name: 'typed', body: { ...made, data: { value: '2' } } });
    expect(replaced.data).toEqual({ value: '2' });
    await expect(core.replaceNamespacedConfigMap({ namespace, name: 'typed', body: made })).rejects.toMatchObject({ code: 409 });
    const patched = await core.patchNamespacedConfigMap(
      { namespace, name: 'typed', body: { data: { more: 'x' } } },
      k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch),
    );
    expect(patched.data).toEqual({ value: '2', more: 'x' });
    const jsonPatched = await core.patchNamespacedConfigMap({ namespace, name: 'typed', body: [{ op: 'remove', path: '/data/more' }] });
    expect(jsonPatched.data).toEqual({ value: '2' });
    const listed = await core.listNamespacedConfigMap({ namespace, labelSelector: 'app=a' });
    expect(listed.items.map(({ metadata }) => metadata?.name)).toEqual(['typed']);
    await core.deleteNamespacedConfigMap({ namespace, name: 'typed' });
    await expect(core.readNamespacedConfigMap({ namespace, name: 'typed' })).rejects.toMatchObject({ code: 404 });
  });

  test('an untyped apply', async () => {
    const objects = k8s.KubernetesObjectApi.makeApiClient(config);
    const spec = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied', namespace }, data: { a: 'b' } };
    const applied: k8s.KubernetesObject = await objects.patch<k8s.KubernetesObject>(
      spec,
      undefined,
      undefined,
      'tests',
      true,
      k8s.PatchStrategy.ServerSideApply,
    );
    expect(applied.metadata?.managedFields?.[0]).toMatchObject({ manager: 'tests', operation: 'Apply' });
    await objects.delete(spec);
  });

  test('a watch', async () => {
    const seen: string[] = [];
    const from = (await core.listNamespacedConfigMap({ namespace })).metadata?.resourceVersion;
    const watch = await new k8s.Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { resourceVersion: from, allowWatchBookmarks: true },
      (type: string, object: k8s.V1ConfigMap) => seen.push(`${type} ${object.metadata?.name} ${object.data?.['value']}`),
      () => undefined,
    );
    await core.createNamespacedConfigMap({ namespace, body: configMap('watched', '1') });
    await core.replaceNamespacedConfigMap({ namespace, name: 'watched', body: configMap('watched', '2') });
    await core.deleteNamespacedConfigMap({ namespace, name: 'watched' });
    await eventually(() => expect(seen).toEqual(['ADDED watched 1', 'MODIFIED watched 2', 'DELETED watched 2']));
    watch.abort();
  });

  test('an informer: add, update, delete', async () => {
    const seen: string[] = [];
    const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: 'app=a' });
    await core.createNamespacedConfigMap({ namespace, body: configMap('before', '0') });
    const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, list, 'app=a');
    for (const verb of ['add', 'update', 'delete'] as const)
      informer.on(verb, ({ metadata, data }) => seen.push(`${verb} ${metadata?.name} ${data?.['value']}`));
    informer.on('error', (error) => seen.push(`error ${error}`));
    await informer.start();
    await core.createNamespacedConfigMap({ namespace, body: configMap('informed', '1') });
    await core.replaceNamespacedConfigMap({ namespace, name: 'informed', body: configMap('informed', '2') });
    await core.deleteNamespacedConfigMap({ namespace, name: 'informed' });
    await eventually(() => expect(seen).toEqual(['add before 0', 'add informed 1', 'update informed 2', 'delete informed 2']));
    await informer.stop();
    await core.deleteNamespacedConfigMap({ namespace, name: 'before' });
  });

  test('a deployment, its logs, exec over WebSocket, port-forward', { timeout: 60_000 }, async () => {
    const command = ['sh', '-c', 'echo first line; exec python3 -m http.server --bind "$POD_IP" 8000'];
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'none', command }] } };
    const body: k8s.V1Deployment = {
      metadata: { name: 'web' },
      spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template },
    };
    await apps.createNamespacedDeployment({ namespace, body });
    const name = await eventually(async () => {
      const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=web' });
      expect(items[0]?.status?.phase).toBe('Running');
      return items[0]?.metadata?.name ?? '';
    });
    await eventually(async () => expect(await core.readNamespacedPodLog({ namespace, name })).toContain('first line\n'));

    const followed = sink();
    const log = await new k8s.Log(config).log(namespace, name, 'c', followed.stream, { follow: true });
    await eventually(() => expect(followed.text()).toContain('first line'));
    log.abort();

    const [out, err] = [sink(), sink()];
    const status = new Promise<k8s.V1Status>((resolve, reject) => {
      const stdin = new PassThrough();
      new k8s.Exec(config)
        .exec(namespace, name, 'c', ['sh', '-c', 'cat; echo problem >&2; exit 3'], out.stream, err.stream, stdin, false, resolve)
        .catch(reject);
      stdin.end('typed in');
    });
    expect(await status).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
    expect([out.text(), err.text()]).toEqual(['typed in', 'problem\n']);

    const [received, errors, request] = [sink(), sink(), new PassThrough()];
    await eventually(async () =>
      expect(await core.connectGetNamespacedPodProxy({ namespace, name: `${name}:8000` })).toContain('Directory listing'),
    );
    const socket = await new k8s.PortForward(config).portForward(namespace, name, [8000], received.stream, errors.stream, request);
    request.write('GET / HTTP/1.0\r\n\r\n');
    await eventually(() => expect(received.text()).toMatch(/^HTTP\/1\.0 200 OK[\s\S]*Directory listing/));
    if (typeof socket !== 'function') socket.close();
    await apps.deleteNamespacedDeployment({ namespace, name: 'web' });
  });
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxImage, type TestImage, testImage } from '@orrery/cri-oci/testing';
import { afterAll, beforeAll } from 'vitest';
import { startTestCluster, type TestCluster, type TestClusterOptions } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, Asker, type AskOptions, accessOf } from '../support/https.ts';

/** Just enough of an object to look into it. */
export interface Json {
  readonly [key: string]: Json;
}

/** The static busybox: what most pods run. */
export const busybox = 'docker.io/library/busybox:1';
/** An empty root with links into /usr, which the pod mounts from the host: glibc's resolver, curl and python3. */
export const hostTools = 'docker.io/library/host-tools:1';

const waitMs = 60_000;

function hostToolsImage(): TestImage {
  const link = (name: string): { name: string; type: 'symlink'; linkName: string } => ({ name, type: 'symlink', linkName: `usr/${name}` });
  const directories = ['./', 'usr', 'etc', 'proc', 'dev', 'sys', 'tmp'];
  return testImage([
    [
      ...directories.map((name) => ({ name, type: 'directory' as const, mode: 0o755 })),
      ...['bin', 'lib', 'lib64'].map(link),
      { name: 'etc/passwd', content: 'root:x:0:0:root:/:/bin/sh\n' },
      { name: 'etc/nsswitch.conf', content: 'hosts: files dns\n' },
    ],
  ]);
}

export interface PodExtras {
  readonly metadata?: object;
  readonly spec?: object;
  readonly container?: object;
}

/** A pod of one container `c` that runs a shell script once. */
export function shellPod(name: string, script: string, { metadata = {}, spec = {}, container = {} }: PodExtras = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'c', image: busybox, command: ['/bin/sh', '-c', script], ...container }],
      ...spec,
    },
  };
}

/** The same with the host's /usr: `curl`, `python3`, `getent`. */
export function toolsPod(name: string, script: string, { metadata = {}, spec = {}, container = {} }: PodExtras = {}): object {
  return shellPod(name, script, {
    metadata,
    spec: { volumes: [{ name: 'usr', hostPath: { path: '/usr' } }], ...spec },
    container: { image: hostTools, volumeMounts: [{ name: 'usr', mountPath: '/usr', readOnly: true }], ...container },
  });
}

/** What is asked of one cluster in one namespace. */
export interface Suite {
  readonly cluster: TestCluster;
  readonly namespace: string;
  /** An answer of the API server, as it came. */
  ask(path: string, options?: AskOptions): Promise<Answer>;
  /** Creates manifests of the namespace, all at once. */
  create(...manifests: readonly object[]): Promise<void>;
  /** Reads `<resource>/<name>` of the core group, or an absolute path. */
  get<T = Json>(path: string): Promise<T>;
  patch(path: string, body: object, subresource?: string): Promise<Json>;
  delete(path: string): Promise<void>;
  /** Waits until the pod's check passes. */
  pod(name: string, check: (pod: Json) => boolean, what: string): Promise<Json>;
  ready(...names: readonly string[]): Promise<void>;
  /** Waits for the pod's end; its log. Throws when it failed. */
  output(name: string, container?: string): Promise<string>;
  logs(name: string, container?: string): Promise<string>;
  /** Standard output of a shell script in a running pod. */
  exec(name: string, script: string, container?: string): Promise<string>;
  loadImage(name: string, image: TestImage): Promise<void>;
}

const conditionTrue = (pod: Json, type: string): boolean =>
  ((pod['status']?.['conditions'] ?? []) as unknown as readonly Json[]).some(
    (each) => `${each['type']}` === type && `${each['status']}` === 'True',
  );

/** Where objects of a manifest's kind live. */
function collectionOf(manifest: Json, namespace: string): string {
  const [apiVersion, kind] = [`${manifest['apiVersion']}`, `${manifest['kind']}`.toLowerCase()];
  const plural = kind.endsWith('s') && kind !== 'endpoints' ? `${kind}es` : kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
  const resource = kind === 'endpoints' ? kind : plural;
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return kind === 'runtimeclass' ? `${root}/${resource}` : `${root}/namespaces/${namespace}/${resource}`;
}

/** One cluster with real containers for all tests of a file, and a namespace for its pods. */
export function useContainers(namespace: string, up: readonly string[] = [], more: Omit<TestClusterOptions, 'up'> = {}): () => Suite {
  let suite: Suite | undefined;
  let asker: Asker | undefined;
  beforeAll(async () => {
    const cluster = await startTestCluster({ ...more, up: ['--runtime=oci', ...up] });
    asker = new Asker(accessOf(cluster.kubeconfig));
    suite = suiteOf(cluster, asker, namespace);
    await suite.loadImage(busybox, busyboxImage());
    await suite.loadImage(hostTools, hostToolsImage());
    await cluster.kubectl(['create', 'namespace', namespace]);
    const { get } = suite;
    await eventually(() => get('serviceaccounts/default'));
  });
  afterAll(async () => {
    asker?.agent.destroy();
    await suite?.cluster.dispose();
  });
  return () => {
    if (suite === undefined) throw new Error('the cluster is not up');
    return suite;
  };
}

function suiteOf(cluster: TestCluster, asker: Asker, namespace: string): Suite {
  const absolute = (path: string): string => (path.startsWith('/') ? path : `/api/v1/namespaces/${namespace}/${path}`);
  const checked = async <T>(path: string, method: string, body?: object, type = 'application/json'): Promise<T> => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': type } };
    const answer = await asker.ask(path, { method, ...sent });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body.toString()) as T;
  };
  const pod: Suite['pod'] = async (name, check, what) => {
    let last: Json | undefined;
    try {
      return await eventually(async () => {
        last = await checked<Json>(absolute(`pods/${name}`), 'GET');
        if (!check(last)) throw new Error(what);
        return last;
      }, waitMs);
    } catch (cause) {
      throw new Error(`pod ${name} is never ${what}: ${JSON.stringify(last?.['status'], undefined, 1)}`, { cause });
    }
  };
  const logs: Suite['logs'] = async (name, container) => {
    const path = absolute(`pods/${name}/log${container === undefined ? '' : `?container=${container}`}`);
    const answer = await asker.ask(path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`);
    return answer.body.toString();
  };
  return {
    cluster,
    namespace,
    ask: (path, options) => asker.ask(absolute(path), options),
    create: async (...manifests) => {
      await Promise.all(manifests.map((each) => checked(collectionOf(each as Json, namespace), 'POST', each)));
    },
    get: (path) => checked(absolute(path), 'GET'),
    patch: (path, body, subresource) =>
      checked(
        absolute(path) + (subresource === undefined ? '' : `/${subresource}`),
        'PATCH',
        body,
        'application/strategic-merge-patch+json',
      ),
    delete: (path) => checked(absolute(path), 'DELETE'),
    pod,
    ready: async (...names) => {
      await Promise.all(names.map((name) => pod(name, (each) => conditionTrue(each, 'Ready'), 'ready')));
    },
    logs,
    output: async (name, container) => {
      const done = await pod(name, (each) => ['Succeeded', 'Failed'].includes(`${each['status']?.['phase']}`), 'done');
      const text = await logs(name, container);
      if (`${done['status']?.['phase']}` === 'Failed') throw new Error(`pod ${name} failed: ${JSON.stringify(done['status'])}\n${text}`);
      return text;
    },
    exec: (name, script, container = 'c') =>
      cluster.kubectl(['-n', namespace, 'exec', name, '-c', container, '--', '/bin/sh', '-c', script], { timeoutMs: waitMs }),
    loadImage: async (name, image) => {
      const file = join(cluster.home, `${name.replaceAll(/[/:]/g, '-')}.tar`);
      await writeFile(file, image.archive(name));
      const { code, stdout, stderr } = await cluster.orrery(['image', 'load', file]);
      if (code !== 0) throw new Error(`orrery image load ${name}: ${stdout}${stderr}`);
    },
  };
}

/** The lines `key=value` of an output. */
export const values = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => (line.includes('=') ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]] : [])),
  );

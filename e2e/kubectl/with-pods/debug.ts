import { beforeAll, expect, test } from 'vitest';
import { idle } from '../drivers.ts';
import { eventually, host, type Json, type Kubectl, type Suite } from '../fixture.ts';

export function debugTests(suite: () => Suite): void {
  let k: Kubectl;
  beforeAll(async () => {
    k = await suite().namespace('debug');
    await k.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'shell', labels: { app: 'shell' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: 'busybox', command: ['sh', '-c', idle], env: [{ name: 'MINE', value: 'main' }] }],
      },
    });
    await k('wait pod/shell --for=condition=Ready --timeout=60s');
  });

  test('a container beside those of a running pod, which sees the processes of its target', async () => {
    const script = 'read x; echo got $x; tr "\\0" " " < /proc/1/cmdline; echo; exit 4';
    const debugging = k.start(['debug', 'shell', '--image=busybox', '--target=main', '-c', 'd1', '-i', '--', 'sh', '-c', script]);
    await debugging.shows(`If you don't see a command prompt, try pressing enter.`);
    debugging.type('words\n');
    await debugging.shows('got words\n');
    await debugging.ended();
    expect(debugging.output).toContain('Targeting container "main".');
    if (suite().driver.isolates) expect(debugging.output).toContain('sh -c trap');
    await eventually(async () =>
      expect(await k.json('get pod shell')).toMatchObject({
        spec: { ephemeralContainers: [{ name: 'd1', image: 'busybox', targetContainerName: 'main', stdin: true }] },
        status: {
          phase: 'Running',
          containerStatuses: [{ ready: true, restartCount: 0 }],
          ephemeralContainerStatuses: [{ name: 'd1', restartCount: 0, state: { terminated: { exitCode: 4 } } }],
        },
      }),
    );
    expect(await k('logs shell -c d1')).toContain('got words\n');
    expect(await k('describe pod shell')).toMatch(/^Ephemeral Containers:\n {2}d1:\n/m);
  });

  test('on a terminal', async () => {
    const debugging = k.start('debug shell --image=busybox -c d2 -it -- sh', { terminal: { rows: 30, columns: 90 } });
    await debugging.shows(/If you don't see a command prompt|[#$] (?:.\[\w+)?$/);
    await eventually(() => {
      debugging.type('stty size; echo is $((6 * 7))\n');
      return debugging.shows(/30 90\r?\nis 42/, 1000);
    });
    debugging.type('exit\n');
    expect(await debugging.ended()).toBe(0);
    expect(await k('get pod shell -o jsonpath={.spec.ephemeralContainers[*].name}')).toBe('d1 d2');
  });

  test('a copy of a pod with another image or command', async () => {
    expect(await k('debug shell --copy-to=copied --set-image=*=idle')).toBe('');
    await k('wait pod/copied --for=condition=Ready --timeout=60s');
    expect(await k.json('get pod copied')).toMatchObject({
      spec: { containers: [{ name: 'main', image: 'idle', env: [{ name: 'MINE', value: 'main' }] }] },
    });
    const shared = k.start('debug shell --copy-to=shared --share-processes --profile=general --image=busybox -c extra -i -- sh');
    await shared.shows(`If you don't see a command prompt`);
    shared.type('cat /proc/[0-9]*/cmdline | tr "\\0" " "; echo; exit\n');
    expect(await shared.ended()).toBe(0);
    expect(shared.output).toContain('sh -c trap');
    expect(await k('get pod shared -o jsonpath={.metadata.labels}')).toBe(''); // No Service leads to a copy.
    await k('delete pods copied shared --now');
  });

  test('a node: its file system is at /host', async () => {
    const node = await k('get nodes -o jsonpath={.items[0].metadata.name}');
    const shown = await k.try(
      ['debug', `node/${node}`, '--image=busybox', '-i', '--', 'sh', '-c', 'read x; echo $x; cat /host/etc/hostname'],
      {
        input: 'from here\n',
      },
    );
    expect(shown.stderr + shown.stdout).toMatch(
      new RegExp(`Creating debugging pod node-debugger-${node}-\\w+ with container debugger on node ${node}\\.`),
    );
    const pod = /node-debugger-\S+-\w{5}/.exec(shown.stderr + shown.stdout)?.[0] ?? '';
    await k(`wait pod/${pod} --for=jsonpath={.status.phase}=Succeeded --timeout=30s`);
    expect(await k.json(`get pod ${pod}`)).toMatchObject({
      spec: {
        nodeName: node,
        hostNetwork: true,
        hostPID: true,
        hostIPC: true,
        volumes: expect.arrayContaining([{ name: 'host-root', hostPath: { path: '/', type: '' } }] as unknown as Json[]),
      },
    });
    const { stdout: hostname } = await host('cat', '/etc/hostname');
    expect(await k(`logs ${pod}`)).toBe(`from here\n${hostname}`);
    await k(`delete pod ${pod} --now`);
  });
}

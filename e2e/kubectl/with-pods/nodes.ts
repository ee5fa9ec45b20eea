import { beforeAll, describe, expect, test } from 'vitest';
import { cells, eventually, type Kubectl, lines, type Suite } from '../fixture.ts';

export function nodeTests(suite: () => Suite): void {
  let k: Kubectl;
  let node: string;

  beforeAll(async () => {
    k = await suite().namespace('nodes');
    node = await k('get nodes -o jsonpath={.items[0].metadata.name}');
  });

  test('get and describe', async () => {
    expect(cells(await k('get nodes'))).toEqual([
      ['NAME', 'STATUS', 'ROLES', 'AGE', 'VERSION'],
      [node, 'Ready', expect.any(String), expect.any(String), expect.stringMatching(/^v1\.36\./)],
    ]);
    await k(
      'run here --image=idle --overrides={"spec":{"containers":[{"name":"here","image":"idle","resources":{"requests":{"cpu":"100m","memory":"64Mi"}}}]}}',
    );
    await k('wait pod/here --for=condition=Ready --timeout=30s');
    const shown = await k(`describe node ${node}`);
    expect(shown).toMatch(/^ {2}Ready +True .* KubeletReady +kubelet is posting ready status$/m);
    expect(shown).toMatch(/^Labels: .*[\s\S]*kubernetes\.io\/hostname=/m);
    expect(shown).toMatch(/^Non-terminated Pods: +\(1 in total\)$/m);
    expect(shown).toMatch(/^ {2}nodes +here +100m \(\d+%\) +0 \(0%\) +64Mi \(\d+%\) +0 \(0%\) +\S+$/m);
    expect(shown).toMatch(/^ {2}cpu +100m \(\d+%\) +0 \(0%\)$/m);
    expect(shown).toMatch(/Normal +NodeReady +\S+ +kubelet +Node \S+ status is now: NodeReady$/m);
    await k('delete pod here --now');
  });

  test('cordon keeps pods away, uncordon lets them in', async () => {
    expect(await k(`cordon ${node}`)).toBe(`node/${node} cordoned\n`);
    expect(await k(`cordon ${node}`)).toBe(`node/${node} already cordoned\n`);
    expect(cells(await k('get nodes'))[1]?.[1]).toBe('Ready,SchedulingDisabled');
    await k('run waits --image=idle');
    await eventually(async () =>
      expect(await k('events --for=pod/waits')).toMatch(
        /Warning +FailedScheduling +Pod\/waits +0\/1 nodes are available: 1 node\(s\) were unschedulable\./,
      ),
    );
    expect(await k(['get', 'pod', 'waits', '-o', 'jsonpath={.status.conditions[?(@.type=="PodScheduled")].reason}'])).toBe('Unschedulable');
    await eventually(async () =>
      expect(await k(`get node ${node} -o jsonpath={.spec.taints[*].key}`)).toBe('node.kubernetes.io/unschedulable'),
    );
    expect(await k(`uncordon ${node}`)).toBe(`node/${node} uncordoned\n`);
    expect(await k('wait pod/waits --for=condition=Ready --timeout=30s')).toBe('pod/waits condition met\n');
    await k('delete pod waits --now');
  });

  test('taint', { timeout: 90_000 }, async () => {
    expect(await k(`taint node ${node} key=value:NoSchedule`)).toBe(`node/${node} tainted\n`);
    expect(await k.fails(`taint node ${node} key=value:NoSchedule`)).toContain(
      'already has key taint(s) with same effect(s) and --overwrite is false',
    );
    await k('run refused --image=idle');
    await eventually(async () =>
      expect(await k('events --for=pod/refused')).toContain('0/1 nodes are available: 1 node(s) had untolerated taint(s).'),
    );
    expect(await k(`taint node ${node} key:NoSchedule-`)).toBe(`node/${node} untainted\n`);
    await k('wait pod/refused --for=condition=Ready --timeout=30s');
    await k(`taint node ${node} key=value:NoExecute`);
    await k('wait pod/refused --for=delete --timeout=60s');
    expect(await k(`taint node ${node} key-`)).toBe(`node/${node} untainted\n`);
    expect(await k.fails(`taint node ${node} key=value:Nope`)).toContain('invalid taint effect: Nope');
  });

  test('drain', { timeout: 90_000 }, async () => {
    await k('create deployment d --image=idle --replicas=2');
    await k('rollout status deployment/d --timeout=60s');
    await k('run bare --image=idle');
    await k('wait pod/bare --for=condition=Ready --timeout=30s');
    const refused = await k.fails(`drain ${node} --ignore-daemonsets`);
    expect(refused).toContain('cannot delete cannot delete Pods that declare no controller (use --force to override): nodes/bare');
    const drained = await k.try(`drain ${node} --force --ignore-daemonsets --delete-emptydir-data --grace-period=1 --timeout=60s`);
    expect(drained.code).toBe(0);
    expect(drained.stdout).toContain(`node/${node} drained\n`);
    expect(drained.stdout).toMatch(/pod\/d-\S+ evicted\n/);
    expect(drained.stdout).toContain('pod/bare evicted\n');
    expect(lines(await k('get pods --field-selector=status.phase=Pending -o name'))).toHaveLength(2);
    await k(`uncordon ${node}`);
    await k('rollout status deployment/d --timeout=60s');
  });

  test('label and annotate', async () => {
    expect(await k(`label node ${node} disk=ssd`)).toBe(`node/${node} labeled\n`);
    await k.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'picky' },
      spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'idle' }] },
    });
    await k('wait pod/picky --for=condition=Ready --timeout=30s');
    expect(await k(`label node ${node} disk-`)).toBe(`node/${node} unlabeled\n`);
    expect(await k(`label node ${node} node-role.kubernetes.io/worker=`)).toBe(`node/${node} labeled\n`);
    expect(cells(await k('get nodes'))[1]?.[2]).toBe('worker');
  });

  describe('leases', () => {
    test('are renewed', async () => {
      expect(cells(await k('get leases -n kube-node-lease')).slice(0, 2)).toEqual([
        ['NAME', 'HOLDER', 'AGE'],
        [node, node, expect.any(String)],
      ]);
    });
  });
}

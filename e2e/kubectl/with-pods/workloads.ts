import { beforeAll, describe, expect, test } from 'vitest';
import { cells, eventually, type Kubectl, lines, type Suite } from '../fixture.ts';

export function workloadTests(suite: () => Suite): void {
  let k: Kubectl;
  beforeAll(async () => {
    k = await suite().namespace('workloads');
  });

  const gone = (what: string): Promise<void> =>
    eventually(async () => {
      const left = await k(`get ${what} -o name`);
      if (left !== '') throw new Error(`still there: ${left}`);
    });

  describe('scale', () => {
    test('up, down and with a precondition', async () => {
      await k('create deployment s --image=nginx --replicas=1');
      expect(await k('scale deployment s --replicas=3')).toBe('deployment.apps/s scaled\n');
      await k('rollout status deployment s --timeout=60s');
      expect(lines(await k('get pods -l app=s -o name'))).toHaveLength(3);
      expect(await k.fails('scale deployment s --current-replicas=7 --replicas=1')).toBe('error: Expected replicas to be 7, was 3\n');
      expect(await k('scale deployment s --current-replicas=3 --replicas=0 --timeout=30s')).toBe('deployment.apps/s scaled\n');
      await gone('pods -l app=s');
      expect(cells(await k('get deployment s'))[1]?.slice(0, 4)).toEqual(['s', '0/0', '0', '0']);
      expect(await k.fails('scale deployment nope --replicas=1')).toBe('Error from server (NotFound): deployments.apps "nope" not found\n');
    });

    test('autoscale is refused: the kind is not served', async () => {
      expect(await k.fails('autoscale deployment s --max=3 --cpu=80%')).toContain('the server could not find the requested resource');
    });
  });

  describe('rollout', () => {
    test('status, history, undo', async () => {
      await k('create deployment r --image=nginx:1 --replicas=2');
      expect(await k('rollout status deployment/r --timeout=60s')).toContain('deployment "r" successfully rolled out\n');
      await k('annotate deployment r kubernetes.io/change-cause=first');
      await k('set image deployment/r nginx=nginx:2');
      await k(['annotate', 'deployment', 'r', '--overwrite', 'kubernetes.io/change-cause=second one']);
      expect(await k('rollout status deployment/r --timeout=60s')).toContain('successfully rolled out\n');
      expect(lines(await k('rollout history deployment/r'))).toEqual([
        'deployment.apps/r',
        'REVISION  CHANGE-CAUSE',
        '1         first',
        '2         second one',
      ]);
      const second = await k('rollout history deployment/r --revision=2');
      expect(lines(second).slice(0, 2)).toEqual(['deployment.apps/r with revision #2', 'Pod Template:']);
      expect(second).toMatch(/Image:\tnginx:2\n/);
      expect(await k('rollout undo deployment/r --dry-run=server')).toContain('(server dry run)');
      expect(await k('rollout undo deployment/r')).toBe('deployment.apps/r rolled back\n');
      await k('rollout status deployment/r --timeout=60s');
      expect(await k('get deployment r -o jsonpath={.spec.template.spec.containers[0].image}')).toBe('nginx:1');
      expect(lines(await k('rollout history deployment/r')).slice(2)).toEqual(['2         second one', '3         first']);
      expect(await k('rollout undo deployment/r --to-revision=2')).toBe('deployment.apps/r rolled back\n');
      expect(await k.fails('rollout undo deployment/r --to-revision=77')).toBe('error: unable to find specified revision 77 in history\n');
      expect(await k('rollout status deployment/r --timeout=60s')).toContain('successfully rolled out\n');
      expect(cells(await k('get replicasets -l app=r --no-headers')).map((row) => row.slice(1, 4).join())).toEqual(
        expect.arrayContaining(['0,0,0', '2,2,2']),
      );
    });

    test('restart, pause and resume', async () => {
      const before = await k('get pods -l app=r -o name');
      expect(await k('rollout restart deployment/r')).toBe('deployment.apps/r restarted\n');
      await k('rollout status deployment/r --timeout=60s');
      expect(await k('get deployment r -o yaml')).toMatch(/kubectl\.kubernetes\.io\/restartedAt: "\d/);
      await eventually(async () => {
        const after = lines(await k('get pods -l app=r -o name'));
        expect(after).toHaveLength(2);
        expect(after.filter((name) => before.includes(name))).toEqual([]);
      });
      expect(await k('rollout pause deployment/r')).toBe('deployment.apps/r paused\n');
      await k('set image deployment/r nginx=nginx:5');
      expect(await k.fails('rollout restart deployment/r')).toContain(`can't restart paused deployment (run rollout resume first)`);
      expect(await k.fails('rollout undo deployment/r')).toContain('cannot rollback a paused deployment');
      expect(await k.fails('rollout pause deployment/r')).toContain('is already paused');
      expect(await k('get replicasets -l app=r -o jsonpath={.items[*].spec.template.spec.containers[0].image}')).not.toContain('nginx:5');
      expect(await k('rollout resume deployment/r')).toBe('deployment.apps/r resumed\n');
      expect(await k('rollout status deployment/r --timeout=60s')).toContain('successfully rolled out\n');
      expect(await k('get replicasets -l app=r -o jsonpath={.items[*].spec.template.spec.containers[0].image}')).toContain('nginx:5');
    });

    test('one that cannot finish', async () => {
      await k('create deployment stuck --image=unknown.example/image');
      expect((await k.try('rollout status deployment/stuck --timeout=1s')).stderr).toBe('error: timed out waiting for the condition\n');
      await k(['patch', 'deployment', 'stuck', '-p', '{"spec":{"progressDeadlineSeconds":1}}']);
      expect(await k.fails('rollout status deployment/stuck --timeout=30s')).toBe(
        'error: deployment "stuck" exceeded its progress deadline\n',
      );
    });
  });

  describe('jobs', () => {
    test('run to their end', async () => {
      await k(['create', 'job', 'ok', '--image=busybox', '--', 'sh', '-c', 'echo made it']);
      expect(await k('wait job/ok --for=condition=Complete --timeout=30s')).toBe('job.batch/ok condition met\n');
      expect(cells(await k('get job ok'))[1]?.slice(0, 3)).toEqual(['ok', 'Complete', '1/1']);
      expect(await k('logs job/ok')).toBe('made it\n');
      const shown = await k('describe job ok');
      expect(shown).toMatch(/Pods Statuses: +0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed/);
      expect(shown).toMatch(/Normal +SuccessfulCreate +\S+ +job-controller +Created pod: ok-/);
      expect(shown).toMatch(/Normal +Completed +\S+ +job-controller +Job completed/);
    });

    test('fail at their limit', async () => {
      await k.apply({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'bad' },
        spec: {
          backoffLimit: 0,
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox', command: ['false'] }] } },
        },
      });
      expect(await k('wait job/bad --for=condition=Failed --timeout=30s')).toBe('job.batch/bad condition met\n');
      expect(await k(['get', 'job', 'bad', '-o', 'jsonpath={.status.conditions[?(@.type=="Failed")].reason}'])).toBe(
        'BackoffLimitExceeded',
      );
    });

    test('their pods go with them', async () => {
      expect(await k('delete job ok')).toBe('job.batch "ok" deleted from workloads namespace\n');
      await gone('pods -l job-name=ok');
    });
  });

  describe('delete', () => {
    const make = async (name: string): Promise<void> => {
      await k(`create deployment ${name} --image=idle --replicas=1`);
      await k(`rollout status deployment/${name} --timeout=60s`);
    };

    test('in the background', async () => {
      await make('bg');
      expect(await k('delete deployment bg --cascade=background')).toBe('deployment.apps "bg" deleted from workloads namespace\n');
      await gone('replicasets,pods -l app=bg');
    });

    test('in the foreground: dependents first', async () => {
      await make('fg');
      await k('delete deployment fg --cascade=foreground');
      expect(await k('get replicasets -l app=fg -o name')).toBe('');
    });

    test('orphans stay, without owner', async () => {
      await make('orphaned');
      await k('delete deployment orphaned --cascade=orphan');
      const [set] = lines(await k('get replicasets -l app=orphaned -o name'));
      expect(set).toMatch(/^replicaset\.apps\/orphaned-/);
      expect(await k(`get ${set} -o jsonpath={.metadata.ownerReferences}`)).toBe('');
      expect(lines(await k('get pods -l app=orphaned -o name'))).toHaveLength(1);
      await k('delete replicaset -l app=orphaned --cascade=orphan');
      expect(await k('get pods -l app=orphaned -o jsonpath={.items[*].metadata.ownerReferences}')).toBe('');
      await k('delete pods -l app=orphaned --now');
    });

    test('an owner that comes back is adopted', async () => {
      await make('adopting');
      const pod = await k('get pods -l app=adopting -o name');
      await k('delete deployment adopting --cascade=orphan');
      await k('create deployment adopting --image=idle --replicas=1');
      await k('rollout status deployment/adopting --timeout=60s');
      expect(await k('get pods -l app=adopting -o name')).toBe(pod);
      await k('delete deployment adopting');
    });

    test('--grace-period, --force, --now, --wait', async () => {
      const spec = {
        terminationGracePeriodSeconds: 600,
        containers: [{ name: 'c', image: 'busybox', command: ['sh', '-c', 'trap "" TERM; sleep 1000 & wait; sleep 1000'] }],
      };
      for (const name of ['grace', 'force', 'slow']) await k.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
      await k('wait pods grace force slow --for=condition=Ready --timeout=30s');
      expect(await k('delete pod slow --wait=false')).toBe('pod "slow" deleted from workloads namespace\n');
      expect(await k('get pod slow --no-headers')).toMatch(/^slow +1\/1 +Terminating +0 /);
      expect(await k('get pod slow -o jsonpath={.metadata.deletionGracePeriodSeconds}')).toBe('600');
      expect(await k('delete pod grace --grace-period=1')).toBe('pod "grace" deleted from workloads namespace\n');
      expect(await k('get pod grace --ignore-not-found')).toBe('');
      const forced = await k.try('delete pods force slow --force');
      expect(forced.stdout).toBe('pod "force" force deleted from workloads namespace\npod "slow" force deleted from workloads namespace\n');
      expect(forced.stderr).toBe(
        'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
      );
      await gone('pod --field-selector=metadata.name=slow');
    });

    test('--all and by label', async () => {
      for (const name of ['d1', 'd2', 'd3']) await k(`create configmap ${name}`);
      await k('label configmap d1 d2 group=one');
      expect(await k('delete configmaps -l group=one')).toBe(
        'configmap "d1" deleted from workloads namespace\nconfigmap "d2" deleted from workloads namespace\n',
      );
      expect(lines(await k('delete configmaps --all'))).toContain('configmap "d3" deleted from workloads namespace');
      expect(await k.fails('delete configmap d1')).toBe('Error from server (NotFound): configmaps "d1" not found\n');
      expect(await k('delete configmap d1 --ignore-not-found')).toBe('');
      await eventually(() => k('get configmap kube-root-ca.crt')); // The controller brings it back.
    });

    test('finalizers hold an object', async () => {
      await k.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['example.com/hold'] } });
      expect(await k('delete configmap held --wait=false')).toBe('configmap "held" deleted from workloads namespace\n');
      expect(await k('get configmap held -o jsonpath={.metadata.deletionTimestamp}')).toMatch(/^\d{4}-/);
      const waiting = k.start('wait configmap/held --for=delete --timeout=30s');
      await k(['patch', 'configmap', 'held', '--type=json', '-p', '[{"op":"remove","path":"/metadata/finalizers"}]']);
      expect(await waiting.ended()).toBe(0);
      expect(await k.fails('get configmap held')).toContain('not found');
    });

    test('a namespace with everything in it', async () => {
      const other = await suite().namespace('doomed');
      await other('create deployment d --image=idle --replicas=2');
      await other('create configmap c');
      await other('rollout status deployment/d --timeout=60s');
      expect(await k('delete namespace doomed --timeout=60s')).toBe('namespace "doomed" deleted\n');
      expect(await k.fails('get namespace doomed')).toContain('not found');
      expect(await k('get pods,configmaps,deployments -A --field-selector=metadata.namespace=doomed -o name')).toBe('');
      expect(await k.fails('delete namespace default')).toContain(
        'Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted\n',
      );
    });
  });
}

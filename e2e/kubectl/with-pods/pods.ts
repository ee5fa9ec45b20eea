import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { idle } from '../drivers.ts';
import { cells, eventually, type Kubectl, lines, type Running, type Suite } from '../fixture.ts';

export function podTests(suite: () => Suite): void {
  let k: Kubectl;

  const pod = (name: string, containers: Record<string, string>, more: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: Object.entries(containers).map(([container, script]) => ({
        name: container,
        image: 'busybox',
        command: ['sh', '-c', script],
      })),
      ...more,
    },
  });

  beforeAll(async () => {
    k = await suite().namespace('pods');
    await k.create(pod('two', { main: `echo out; echo err >&2; ${idle}`, side: `echo side; ${idle}` }));
    await k.create(pod('shell', { main: idle }));
    await k('wait pods --all --for=condition=Ready --timeout=60s');
  });

  const showsSize = (running: Running, size: string): Promise<unknown> =>
    eventually(() => {
      running.type('stty size\n');
      return running.shows(size, 1000);
    });

  describe('run', () => {
    test('a pod', async () => {
      expect(await k('run r1 --image=nginx --port=80 --env=A=b --labels=x=y')).toBe('pod/r1 created\n');
      expect(await k.json('get pod r1')).toMatchObject({
        metadata: { labels: { x: 'y' } },
        spec: {
          containers: [{ name: 'r1', image: 'nginx', env: [{ name: 'A', value: 'b' }], ports: [{ containerPort: 80, protocol: 'TCP' }] }],
        },
      });
      await k('wait pod/r1 --for=condition=Ready --timeout=30s');
      expect(await k.fails('run r1 --image=nginx')).toBe('Error from server (AlreadyExists): pods "r1" already exists\n');
      expect(await k('run r2 --image=nginx --port=80 --expose')).toBe('service/r2 created\npod/r2 created\n');
      await k('delete pods r1 r2 --now');
    });

    test('--rm -i with input from a pipe', async () => {
      const { code, stdout } = await k.try(
        ['run', 'piped', '--rm', '-i', '--image=busybox', '--restart=Never', '--', 'sh', '-c', 'read x; echo "got $x"'],
        {
          input: 'something\n',
        },
      );
      expect(code).toBe(0);
      expect(stdout).toContain('got something\n');
      expect(stdout).toContain('pod "piped" deleted from pods namespace\n');
      expect(await k('get pod piped --ignore-not-found')).toBe('');
    });

    test('--rm -it with a terminal', async () => {
      const running = k.start('run term --rm -it --image=busybox --restart=Never -- sh', { terminal: { rows: 31, columns: 97 } });
      await running.shows(/If you don't see a command prompt|[#$] $/);
      await showsSize(running, '31 97'); // The size comes beside the input: neither waits for the other.
      running.type('echo is $((6 * 7)); test -t 0 && echo terminal\n');
      await running.shows(/is 42\r?\n[\s\S]*terminal/);
      running.type('exit 3\n');
      expect(await running.ended()).toBe(3);
      await running.shows('pod "term" deleted from pods namespace');
    });

    test('the exit code of what ran', async () => {
      const { code, stderr } = await k.try(['run', 'code', '--rm', '-i', '--image=busybox', '--restart=Never', '--', 'sh', '-c', 'exit 7']);
      expect([code, stderr]).toEqual([7, expect.stringContaining('pods/code terminated (Error)')]);
    });
  });

  describe('logs', () => {
    test('of one container', async () => {
      expect(lines(await k('logs two -c main')).sort()).toEqual(['err', 'out']);
      expect(await k('logs two -c side')).toBe('side\n');
      const { stdout, stderr } = await k.try('logs two');
      expect([lines(stdout).sort(), stderr]).toEqual([['err', 'out'], 'Defaulted container "main" out of: main, side\n']);
      expect(await k.fails('logs two -c nope')).toContain('container nope is not valid for pod two');
      expect(await k.fails('logs nope')).toBe('error: error from server (NotFound): pods "nope" not found in namespace "pods"\n');
    });

    test('of all containers, by label, with prefixes', async () => {
      expect(lines(await k('logs two --all-containers')).sort()).toEqual(['err', 'out', 'side']);
      expect(lines(await k('logs two --all-containers --prefix')).sort()).toEqual([
        '[pod/two/main] err',
        '[pod/two/main] out',
        '[pod/two/side] side',
      ]);
      expect(await k('logs -l app=two -c side --prefix')).toBe('[pod/two/side] side\n');
    });

    test('--tail, --timestamps, --since, --limit-bytes', async () => {
      await k.create(pod('counted', { main: `for i in $(seq 1 50); do echo line $i; done; ${idle}` }));
      await eventually(async () => expect(lines(await k('logs counted'))).toHaveLength(50));
      expect(await k('logs counted --tail=2')).toBe('line 49\nline 50\n');
      expect(await k('logs counted --tail=0')).toBe('');
      expect(lines(await k('logs counted --timestamps --tail=1'))[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|\+00:00) line 50$/);
      expect(lines(await k('logs counted --since=1h'))).toHaveLength(50);
      expect(await k('logs counted --since-time=2099-01-01T00:00:00Z')).toBe('');
      expect(await k('logs counted --limit-bytes=10')).toBe('line 1\nlin');
    });

    test('-f follows to the end', async () => {
      await k.create(
        pod('talking', { main: 'i=0; while [ $i -lt 5 ]; do echo tick $i; i=$((i+1)); sleep 0.2; done' }, { restartPolicy: 'Never' }),
      );
      await eventually(() => k('logs talking'));
      const following = k.start('logs -f talking');
      expect(await following.ended()).toBe(0);
      expect(lines(following.output)).toEqual([0, 1, 2, 3, 4].map((i) => `tick ${i}`));
    });

    test('--previous', async () => {
      const script = `test -e /state/ran || { touch /state/ran; echo first; exit 1; }; echo second; ${idle}`;
      const object = pod('again', { main: script });
      const [container] = object.spec.containers;
      await k.create({
        ...object,
        spec: {
          ...object.spec,
          containers: [{ ...container, volumeMounts: [{ name: 'state', mountPath: '/state' }] }],
          volumes: [{ name: 'state', emptyDir: {} }],
        },
      });
      await eventually(async () => expect(await k('logs again')).toContain('second'), 30_000);
      expect(await k('logs again --previous')).toContain('first');
      expect(await k.fails('logs two -c main --previous')).toBe(
        'Error from server (BadRequest): previous terminated container "main" in pod "two" not found\n',
      );
      expect(cells(await k('get pod again'))[1]?.[3]).toMatch(/^1 \(\S+ ago\)$/);
    });
  });

  describe('exec', () => {
    test('output, errors, exit code, environment', async () => {
      expect(await k.try(['exec', 'shell', '--', 'sh', '-c', 'echo out; echo err >&2; exit 5'])).toEqual({
        code: 5,
        stdout: 'out\n',
        stderr: 'err\ncommand terminated with exit code 5\n',
      });
      expect(await k(['exec', 'two', '-c', 'side', '--', 'echo', 'a  b', 'c'])).toBe('a  b c\n');
      expect(await k.fails('exec nope -- true')).toBe('Error from server (NotFound): pods "nope" not found\n');
      expect(await k.fails('exec shell -c nope -- true')).toContain('container nope is not valid for pod shell');
      expect(await k.fails('exec shell -- no-such-program')).toMatch(/no-such-program/);
    });

    test('input', async () => {
      expect(await k('exec -i shell -- cat', { input: 'through\n' })).toBe('through\n');
      const bytes = Buffer.alloc(5_000_000, 'abcdefghij');
      const sum = await k('exec -i shell -- sha256sum', { input: bytes });
      expect(sum.split(' ')[0]).toBe(createHash('sha256').update(bytes).digest('hex'));
    });

    test('much output', async () => {
      const out = await k(['exec', 'shell', '--', 'sh', '-c', 'seq 1 300000']);
      expect(lines(out)).toHaveLength(300_000);
    });

    test('-it with a terminal that is resized', async () => {
      const running = k.start('exec -it shell -- sh', { terminal: { rows: 24, columns: 80 } });
      await running.shows(/[#$] (?:.\[\w+)?$/); // Some shells ask the terminal something after their prompt.
      await showsSize(running, '24 80');
      running.type('tty\n');
      await running.shows(/\n\/dev\/(pts|console|tty)/);
      await running.resize(40, 111);
      await showsSize(running, '40 111');
      running.type('exit 9\n');
      expect(await running.ended()).toBe(9);
    });

    test('of a deployment', async () => {
      await k('create deployment e --image=idle --replicas=1');
      await k('rollout status deployment/e --timeout=30s');
      expect(await k('exec deployment/e -- echo yes')).toBe('yes\n');
    });
  });

  describe('attach', () => {
    test('to a running shell', async () => {
      const object = pod(
        'attached',
        { main: 'echo ready; while read line; do echo "heard $line"; [ "$line" = end ] && exit 0; done' },
        { restartPolicy: 'Never' },
      );
      const [container] = object.spec.containers;
      await k.create({ ...object, spec: { ...object.spec, containers: [{ ...container, stdin: true }] } });
      await k('wait pod/attached --for=condition=Ready --timeout=30s');
      const running = k.start('attach -i attached');
      await running.shows(`If you don't see a command prompt`);
      running.type('one\n');
      await running.shows('heard one');
      running.type('end\n');
      await running.shows('heard end');
      expect(await running.ended()).toBe(0);
      expect(await k('logs attached')).toBe('ready\nheard one\nheard end\n');
    });
  });

  describe('cp', () => {
    test('a file both ways', async () => {
      const { folder } = suite();
      const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 256));
      await writeFile(join(folder, 'sent'), bytes);
      await k(['cp', join(folder, 'sent'), 'shell:/tmp/kept']);
      expect(await k('exec shell -- wc -c /tmp/kept')).toBe('300000 /tmp/kept\n');
      await k(['cp', 'shell:/tmp/kept', join(folder, 'back')]);
      expect(Buffer.compare(await readFile(join(folder, 'back')), bytes)).toBe(0);
      await k('exec shell -- rm /tmp/kept');
    });

    test('a folder', async () => {
      const { folder } = suite();
      await k([
        'exec',
        'shell',
        '--',
        'sh',
        '-c',
        'mkdir -p /tmp/orrery-cp/a/b; echo deep > /tmp/orrery-cp/a/b/file; echo top > /tmp/orrery-cp/top',
      ]);
      await k(['cp', 'pods/shell:/tmp/orrery-cp', join(folder, 'copied'), '-c', 'main']);
      expect(await readFile(join(folder, 'copied/a/b/file'), 'utf8')).toBe('deep\n');
      expect(await readFile(join(folder, 'copied/top'), 'utf8')).toBe('top\n');
      await k('exec shell -- rm -r /tmp/orrery-cp');
    });
  });

  describe('wait', () => {
    test('for conditions, fields, creation and deletion', async () => {
      expect(await k('wait pod/shell --for=condition=Ready')).toBe('pod/shell condition met\n');
      expect(await k('wait pod/shell --for=jsonpath={.status.phase}=Running --timeout=5s')).toBe('pod/shell condition met\n');
      expect(await k.fails('wait pod/shell --for=condition=Nope --timeout=1s')).toBe(
        'error: timed out waiting for the condition on pods/shell\n',
      );
      const created = k.start('wait configmap/later --for=create --timeout=20s');
      await k('create configmap later --from-literal=a=1');
      expect([await created.ended(), created.output]).toEqual([0, 'configmap/later condition met\n']);
      const deleted = k.start('wait configmap/later --for=delete --timeout=20s');
      await k('delete configmap later');
      expect(await deleted.ended()).toBe(0);
      expect(await k.fails('wait pod/nope --for=condition=Ready --timeout=1s')).toBe(
        'Error from server (NotFound): pods "nope" not found\n',
      );
    });
  });

  describe('events', () => {
    test('of an object, by type, followed', async () => {
      const shown = cells(await k('events --for=pod/shell'));
      expect(shown[0]).toEqual(['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE']);
      expect(shown.slice(1).map((row) => row[2])).toEqual(expect.arrayContaining(['Scheduled', 'Pulled', 'Created', 'Started']));
      expect(shown.slice(1).every((row) => row[3] === 'Pod/shell')).toBe(true);
      expect((await k.try('events --types=Warning --for=pod/shell')).stderr).toBe('No events found in pods namespace.\n');
      const sorted = lines(await k('get events --sort-by=.metadata.creationTimestamp --field-selector=involvedObject.name=shell'));
      expect(sorted[0]).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE$/);
      const watching = k.start('events --for=pod/watched --watch');
      await eventually(() => k('run watched --image=busybox --restart=Never -- true'));
      await watching.shows(/Normal +Scheduled +Pod\/watched +Successfully assigned pods\/watched to /);
      await watching.stop();
    });
  });

  describe('describe', () => {
    test('a pod', async () => {
      const shown = await k('describe pod two');
      const { hostIP, podIP } = (await k.json<{ status: Record<string, string> }>('get pod two')).status;
      expect(shown).toMatch(/^Name: +two\nNamespace: +pods\nPriority: +0\nService Account: +default\nNode: +\S+\/\d+\.\d+\.\d+\.\d+\n/);
      expect(shown).toContain(`/${hostIP}\nStart Time: `);
      expect(shown).toMatch(/^Status: +Running\nIP: +\d+\.\d+\.\d+\.\d+\n/m);
      expect(shown).toContain(` ${podIP}\nIPs:\n`);
      expect(shown).toMatch(/^ {2}main:\n {4}Container ID: +\S+:\/\/\S+\n {4}Image: +busybox\n/m);
      expect(shown).toMatch(/^ {4}State: +Running\n {6}Started: +\S/m);
      expect(shown).toMatch(/^ {2}Ready +True *$/m);
      expect(shown).toMatch(/^QoS Class: +BestEffort$/m);
      expect(shown).toMatch(/^Tolerations: +node\.kubernetes\.io\/not-ready:NoExecute op=Exists for 300s$/m);
      expect(shown).toMatch(/Normal +Scheduled +\S+ +default-scheduler +Successfully assigned pods\/two to \S+$/m);
      expect(shown).toMatch(/Normal +Pulled +\S+ +kubelet +spec\.containers\{main\}: Successfully pulled image /m);
    });

    test('a deployment, its set, a service, a namespace, a configmap', async () => {
      const deployment = await k('describe deployment e');
      expect(deployment).toMatch(/^Replicas: +1 desired \| 1 updated \| 1 total \| 1 available \| 0 unavailable$/m);
      expect(deployment).toMatch(/^StrategyType: +RollingUpdate$/m);
      expect(deployment).toMatch(/^NewReplicaSet: +e-\w+ \(1\/1 replicas created\)$/m);
      expect(deployment).toMatch(/Normal +ScalingReplicaSet +\S+ +deployment-controller +Scaled up replica set e-\w+ from 0 to 1$/m);
      expect(await k('describe replicaset -l app=e')).toMatch(/^Pods Status: +1 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed$/m);
      await k('expose deployment e --port=80');
      await eventually(async () => expect(await k('describe service e')).toMatch(/^Endpoints: +\d+\.\d+\.\d+\.\d+:80$/m));
      expect(await k('describe namespace pods')).toMatch(
        /^Name: +pods\nLabels: +kubernetes\.io\/metadata\.name=pods\nAnnotations: +<none>\nStatus: +Active\n/,
      );
      expect(await k('describe configmap kube-root-ca.crt')).toContain('-----BEGIN CERTIFICATE-----');
      expect(await k.fails('describe pod nope')).toBe('Error from server (NotFound): pods "nope" not found\n');
    });
  });
}

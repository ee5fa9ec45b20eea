import { beforeAll, describe, expect, test } from 'vitest';
import { cells, type Kubectl, lines, useSuite } from './fixture.ts';

const suite = useSuite();
let k: Kubectl;
beforeAll(async () => {
  k = await suite().namespace('discovery');
});

describe('what the server has', () => {
  test('api-versions', async () => {
    expect(lines(await k('api-versions'))).toEqual(
      expect.arrayContaining([
        ...['apps/v1', 'authentication.k8s.io/v1', 'authorization.k8s.io/v1', 'batch/v1', 'coordination.k8s.io/v1'],
        ...['discovery.k8s.io/v1', 'events.k8s.io/v1', 'scheduling.k8s.io/v1', 'v1'],
      ]),
    );
  });

  test('api-resources', async () => {
    const rows = cells(await k('api-resources'));
    expect(rows[0]).toEqual(['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND']);
    for (const row of [
      ['pods', 'po', 'v1', 'true', 'Pod'],
      ['namespaces', 'ns', 'v1', 'false', 'Namespace'],
      ['deployments', 'deploy', 'apps/v1', 'true', 'Deployment'],
      ['jobs', 'batch/v1', 'true', 'Job'],
      ['priorityclasses', 'pc', 'scheduling.k8s.io/v1', 'false', 'PriorityClass'],
      ['resourcequotas', 'quota', 'v1', 'true', 'ResourceQuota'],
    ])
      expect(rows).toContainEqual(row);
    expect(lines(await k('api-resources --api-group=apps -o name'))).toEqual(
      expect.arrayContaining(['controllerrevisions.apps', 'deployments.apps', 'replicasets.apps']),
    );
    expect(lines(await k('api-resources --namespaced=false -o name'))).toEqual(expect.arrayContaining(['namespaces', 'nodes']));
    expect(await k('api-resources --namespaced=false -o name')).not.toMatch(/^pods$/m);
    expect(lines(await k('api-resources --verbs=deletecollection,list -o name'))).toContain('pods');
    expect(await k('api-resources --categories=all -o wide')).toMatch(
      /^pods +po +v1 +true +Pod +create,delete,deletecollection,get,list,patch,update,watch +all$/m,
    );
  });

  test('version', async () => {
    expect(lines(await k('version'))).toEqual([
      expect.stringMatching(/^Client Version: v1\.35\./),
      expect.stringMatching(/^Kustomize Version: /),
      expect.stringMatching(/^Server Version: v1\.36\.\d+/),
    ]);
    const { serverVersion } = JSON.parse(await k('version -o json')) as { serverVersion: Record<string, string> };
    expect(serverVersion).toMatchObject({ major: '1', minor: '36', platform: expect.stringMatching(/^linux\//) });
  });

  test('cluster-info', async () => {
    expect(await k('cluster-info', { env: { ...suite().cluster.env, TERM: 'dumb' } })).toMatch(
      /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:\d+/,
    );
  });
});

describe('explain', () => {
  test('a kind', async () => {
    const shown = await k('explain deployments');
    expect(lines(shown).slice(0, 3)).toEqual(['GROUP:      apps', 'KIND:       Deployment', 'VERSION:    v1']);
    expect(shown).toContain('Deployment enables declarative updates for Pods and ReplicaSets.');
    expect(shown).toMatch(/^ {2}spec\t<DeploymentSpec>$/m);
    expect(shown).toMatch(/^ {2}apiVersion\t<string>$/m);
  });

  test('a field', async () => {
    const shown = await k('explain pod.spec.containers.imagePullPolicy');
    expect(lines(shown).slice(0, 4)).toEqual(['KIND:       Pod', 'VERSION:    v1', '', 'FIELD: imagePullPolicy <string>']);
    expect(shown).toMatch(/ENUM:\n {4}Always\n {4}IfNotPresent\n {4}Never\n/);
  });

  test('a list of objects names its required fields', async () => {
    const shown = await k('explain pod.spec.containers');
    expect(shown).toContain('FIELD: containers <[]Container>');
    expect(shown).toMatch(/^ {2}name\t<string> -required-$/m);
  });

  test('recursively', async () => {
    const shown = await k('explain job.spec --recursive');
    expect(shown).toMatch(/^ {2}backoffLimit\t<integer>$/m);
    expect(shown).toMatch(/^ {2}template\t<PodTemplateSpec> -required-$/m);
    expect(shown).toMatch(/^ {6}containers\t<\[\]Container> -required-$/m);
    expect(shown).toMatch(/^ {2}completionMode\t<string>\n {2}enum: Indexed, NonIndexed$/m);
  });

  test('another version of a kind', async () => {
    expect(await k('explain events --api-version=events.k8s.io/v1')).toMatch(/GROUP: +events\.k8s\.io\n/);
    expect(await k('explain deployment.spec.strategy --api-version=apps/v1')).toContain('FIELD: strategy <DeploymentStrategy>');
    expect(await k('explain endpointslices')).toContain('GROUP:      discovery.k8s.io');
  });

  test.each([
    ['namespaces'],
    ['nodes'],
    ['services.spec'],
    ['configmaps.data'],
    ['secrets'],
    ['serviceaccounts'],
    ['limitranges.spec.limits'],
    ['resourcequotas.spec'],
    ['replicationcontrollers.spec'],
    ['podtemplates.template'],
    ['replicasets.spec'],
    ['controllerrevisions'],
    ['leases.spec'],
    ['priorityclasses'],
    ['endpoints.subsets'],
  ])('%s', async (path) => {
    const shown = await k(`explain ${path}`);
    expect(shown).toContain('DESCRIPTION:');
    expect(shown).not.toContain('<empty>');
  });

  test('what is not there', async () => {
    expect(await k.fails('explain pod.spec.wrong')).toBe('error: field "wrong" does not exist\n');
    expect(await k.fails('explain widgets')).toBe(`the server doesn't have a resource type "widgets"\n`);
  });

  test('as plain OpenAPI v2', async () => {
    expect(await k('explain pod.spec.nodeName --output=plaintext-openapiv2')).toContain('FIELD:    nodeName <string>');
  });
});

describe('who one is', () => {
  test('auth whoami', async () => {
    expect(await k('auth whoami')).toMatch(/Username +kubernetes-admin\nGroups +\[system:masters system:authenticated\]/);
    expect(await k('auth whoami -o jsonpath={.status.userInfo.username}')).toBe('kubernetes-admin');
  });

  test('auth can-i', async () => {
    expect(await k('auth can-i create deployments.apps')).toBe('yes\n');
    expect(await k(['auth', 'can-i', '*', '*', '--all-namespaces'])).toBe('yes\n');
    expect(await k('auth can-i get pods --subresource=log')).toBe('yes\n');
    expect(await k('auth can-i get /healthz')).toBe('yes\n');
    const listed = lines(await k('auth can-i --list')).map((line) => line.split(/ {2,}/));
    expect(listed[0]).toEqual(['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs']);
    expect(listed).toEqual(
      expect.arrayContaining([
        ['*.*', '[]', '[]', '[*]'],
        ['', '[*]', '[]', '[*]'],
      ]),
    );
  });

  test('others may nothing', async () => {
    expect(await k.fails('get pods --as=bob')).toBe(
      'Error from server (Forbidden): pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "discovery"\n',
    );
    expect(await k.fails('delete deployment.apps x --as=bob --as-group=dev')).toBe(
      'Error from server (Forbidden): deployments.apps "x" is forbidden: User "bob" cannot delete resource "deployments" in API group "apps" in the namespace "discovery"\n',
    );
    expect(await k.fails('get nodes --as=bob')).toBe(
      'Error from server (Forbidden): nodes is forbidden: User "bob" cannot list resource "nodes" in API group "" at the cluster scope\n',
    );
    expect(await k.fails('get --raw /metrics --as=bob')).toContain('forbidden: User "bob" cannot get path "/metrics"');
    expect(await k('get pods --as=bob --as-group=system:masters')).toBeDefined();
  });

  test('subject access reviews', async () => {
    const file = await suite().file('review.json', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: 'bob', resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } },
    });
    const answer = await k(['create', '--raw', '/apis/authorization.k8s.io/v1/subjectaccessreviews', '-f', file]);
    const review = JSON.parse(answer) as { status: { allowed: boolean } };
    expect(review.status.allowed).toBe(false);
  });
});

describe('what is not served', () => {
  test.each([
    ['create cronjob c --image=nginx --schedule=@daily', /could not find the requested resource/],
    ['create poddisruptionbudget p --selector=a=b --min-available=1', /could not find the requested resource/],
    ['get horizontalpodautoscalers', /error: the server doesn't have a resource type "horizontalpodautoscalers"/],
  ])('%s', async (args, says) => {
    expect(await k.fails(args)).toMatch(says);
  });
});

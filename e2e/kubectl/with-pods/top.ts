import { beforeAll, expect, test } from 'vitest';
import { idle } from '../drivers.ts';
import { cells, eventually, type Kubectl, type Suite } from '../fixture.ts';

/** Usage is known by the second measurement, 15 s after the first at most. */
const measuredMs = 60_000;

export function topTests(suite: () => Suite): void {
  let k: Kubectl;
  beforeAll(async () => {
    k = await suite().namespace('top');
    const busy = 'while :; do i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; sleep 0.1; done';
    const container = (name: string, script: string): object => ({ name, image: 'busybox', command: ['sh', '-c', script] });
    await k.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'busy', labels: { app: 'busy' } },
      spec: { terminationGracePeriodSeconds: 1, containers: [container('works', busy), container('waits', idle)] },
    });
    await k('wait pod/busy --for=condition=Ready --timeout=60s');
  });

  test('pods, by container', { timeout: 2 * measuredMs }, async () => {
    await eventually(async () => expect(await k('top pod busy --no-headers')).toMatch(/^busy +[1-9]\d*m +\d+Mi *\n$/), measuredMs);
    const [header, ...rows] = cells(await k('top pod -l app=busy --containers --sort-by=cpu'));
    expect(header).toEqual(['POD', 'NAME', 'CPU(cores)', 'MEMORY(bytes)']);
    expect(rows.map((row) => row.slice(0, 2))).toEqual([
      ['busy', 'works'],
      ['busy', 'waits'],
    ]);
    await k('delete pod busy --now');
  });

  test('nodes', { timeout: 2 * measuredMs }, async () => {
    const node = await k('get nodes -o jsonpath={.items[0].metadata.name}');
    const line = new RegExp(`^${node} +[1-9]\\d*m +\\d+% +[1-9]\\d*Mi +\\d+% *\\n$`);
    await eventually(async () => expect(await k(`top node ${node} --no-headers`)).toMatch(line), measuredMs);
  });
}

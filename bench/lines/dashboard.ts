import { pods, serviceAccounts } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { openDashboard } from '@orrery/dashboard';
import { startCluster } from '@orrery/testkit';
import { startBrowser } from '../../e2e/dashboard/browser.ts';
import { createNode, createPod, statuses } from '../../e2e/dashboard/objects.ts';
import type { Line } from '../line.ts';
import { inParallel } from '../support/timing.ts';

const PODS = 5_000;
const CHANGES_PER_SECOND = 500;

/** Notes how long the page kept its one thread, and how long keys waited for their picture. Text, because the browser runs it. */
const WATCH = `
  globalThis.long = [];
  globalThis.keys = [];
  new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration))).observe({ entryTypes: ['longtask'] });
  new PerformanceObserver((list) => keys.push(...list.getEntries().filter(({ name }) => name === 'keydown').map((entry) => entry.duration)))
    .observe({ type: 'event', durationThreshold: 16 });
`;

export const dashboardLine: Line = {
  name: 'dashboard',
  what: `the dashboard with ${PODS.toLocaleString('en')} pods on 3 nodes, ${CHANGES_PER_SECOND} changes a second`,
  method:
    "Debian's chromium without a window or GPU; from the request for the page until all pods are counted; then long tasks (over 50 ms) and the slowest key press while statuses change; API server and dashboard in one process beside the browser",
  figures: [
    { name: 'first contentful paint', unit: 'ms' },
    { name: 'all pods shown', unit: 'ms' },
    { name: 'long tasks a second', unit: '/s', reach: { atMost: 1 } },
    { name: 'slowest key press', unit: 'ms', reach: { atMost: 100 } },
  ],
  runs: { full: 3, quick: 1 },
  timeoutMs: 90_000,
  async measure({ quick }) {
    await using cluster = await startCluster({ controllers: false, scheduler: false });
    const { client } = cluster;
    await client.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } });
    for (const index of [0, 1, 2]) await createNode(client, `node-${index}`, '2000');
    await inParallel(PODS, 32, (index) => createPod(client, { name: `pod-${index}`, node: `node-${index % 3}` }));
    const dashboard = await openDashboard({ clusters: [{ name: 'bench', transport: client.transport }] });
    const browser = await startBrowser();
    try {
      const page = await browser.context.newPage();
      await page.addInitScript(WATCH);
      const startMs = performance.now();
      await page.goto(dashboard.url);
      await page.locator('#total', { hasText: PODS.toLocaleString('en') }).waitFor();
      const shownMs = performance.now() - startMs;
      const paintMs = await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime");
      await page.locator('.box canvas').first().focus();
      await page.waitForTimeout(500);
      await page.evaluate('long.length = keys.length = 0');
      const all = (await client.list<Pod>(pods, { namespace: 'default' })).items;
      const seconds = quick ? 2 : 5;
      const change = async (index: number): Promise<unknown> =>
        client.updateStatus(pods, { ...all[index % PODS], status: index % 2 === 0 ? statuses.running : statuses.creating } as never);
      for (let second = 0; second < seconds; second += 1) {
        const nextMs = performance.now() + 1_000;
        for (let index = 0; index < CHANGES_PER_SECOND; index += 1) {
          await change(second * CHANGES_PER_SECOND + index);
          if (index % 100 === 50) await page.keyboard.press('ArrowRight');
        }
        await page.waitForTimeout(Math.max(0, nextMs - performance.now()));
      }
      const long = await page.evaluate<number>('long.length');
      const keyMs = await page.evaluate<number>('Math.max(0, ...keys)');
      return {
        'first contentful paint': [paintMs],
        'all pods shown': [shownMs],
        'long tasks a second': [long / seconds],
        'slowest key press': [keyMs],
      };
    } finally {
      await browser.close();
      await dashboard.close();
    }
  },
};
